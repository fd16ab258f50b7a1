//! Certificates for the tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

/// The number of every certificate that is signed, within its authority.
const NUMBER: u64 = 7;

/// An authority: its certificate, and the key that signs others.
pub(crate) struct Authority {
    pub(crate) certificate: String,
    params: CertificateParams,
    issuer: Issuer<'static, KeyPair>,
}

fn params_of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(NUMBER.into());
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let (params, key) = (params_of(name), KeyPair::generate().expect("a key"));
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Authority { certificate, params: params.clone(), issuer: Issuer::new(params, key) }
    }

    /// An authority that this one signs.
    pub(crate) fn below(&self, name: &str) -> Authority {
        let (params, key) = (params_of(name), KeyPair::generate().expect("a key"));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Authority { certificate, params: params.clone(), issuer: Issuer::new(params, key) }
    }

    /// Its certificate, but expired.
    pub(crate) fn expired(&self) -> String {
        let mut params = self.params.clone();
        (params.not_before, params.not_after) =
            (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        params.self_signed(self.issuer.key()).expect("a certificate").pem()
    }

    /// A certificate for this host and common name, with its key.
    pub(crate) fn sign(&self, host: &str, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([host.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(NUMBER.into());
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A certificate without names but its common name, with its key.
    pub(crate) fn sign_bare(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A list of the certificates that it revokes: all that it signed, or none.
    pub(crate) fn revokes(&self, all: bool) -> String {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(NUMBER),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: if all { vec![revoked] } else { Vec::new() },
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }
}

/// A server's certificate that is signed by itself and may sign others, as `openssl req -x509` makes one.
pub(crate) fn own(host: &str) -> (String, String) {
    let mut params = CertificateParams::new([host.to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, host);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}
