//! Verifies a server's certificate as OpenSSL does for libpq: up to a certificate that is signed by itself,
//! may sign others and is valid now, or one that is itself in the root file.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::certificate::Version;
use x509_cert::der::Decode;
use x509_cert::der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::{Certificate, TbsCertificate};

use super::version1::{self, has_common_name, is_signed_by, version_1};

/// The certificates of a root file, by what they can be.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// Signed by themselves.
    roots: Vec<CertificateDer<'static>>,
    /// Between a root and a server.
    others: Vec<CertificateDer<'static>>,
}

impl Anchors {
    /// Of these; what cannot be parsed or is not valid now is left out.
    pub(super) fn of(certificates: Vec<CertificateDer<'static>>) -> Anchors {
        let mut anchors = Anchors::default();
        for certificate in certificates {
            match parsed(&certificate) {
                Some(one) if one.issuer != one.subject => anchors.others.push(certificate),
                Some(one) if is_valid_at(&one, UnixTime::now()) => anchors.roots.push(certificate),
                _ => {}
            }
        }
        anchors
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Those that may sign others; `None` if none may.
    pub(super) fn authorities(&self) -> Option<RootCertStore> {
        let mut store = RootCertStore::empty();
        let may_sign =
            |one: &&CertificateDer<'_>| parsed(one).is_some_and(|one| is_authority(&one));
        store.add_parsable_certificates(self.roots.iter().filter(may_sign).cloned());
        (!store.is_empty()).then_some(store)
    }
}

fn parsed(certificate: &[u8]) -> Option<TbsCertificate> {
    Certificate::from_der(certificate).ok().map(|certificate| certificate.tbs_certificate)
}

fn is_valid_at(certificate: &TbsCertificate, now: UnixTime) -> bool {
    let validity = &certificate.validity;
    let begin = validity.not_before.to_unix_duration().as_secs();
    (begin..=validity.not_after.to_unix_duration().as_secs()).contains(&now.as_secs())
}

/// Whether it may sign others. A certificate of version 1 has no extension for it.
fn is_authority(certificate: &TbsCertificate) -> bool {
    if certificate.version != Version::V3 {
        return true;
    }
    let constraints = certificate.get::<BasicConstraints>();
    let usage = certificate.get::<KeyUsage>();
    matches!(constraints, Ok(Some((_, BasicConstraints { ca: true, .. }))))
        && is_of_servers(certificate)
        && usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
}

/// Whether its extensions allow it to be a server's.
fn is_for_servers(certificate: &TbsCertificate) -> bool {
    let usage = certificate.get::<KeyUsage>();
    let is_usable = usage.is_ok_and(|usage| {
        usage.is_none_or(|(_, usage)| {
            usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
        })
    });
    is_usable && is_of_servers(certificate)
}

/// Whether servers are among its purposes.
fn is_of_servers(certificate: &TbsCertificate) -> bool {
    certificate.get::<ExtendedKeyUsage>().is_ok_and(|purposes| {
        purposes.is_none_or(|(_, ExtendedKeyUsage(all))| {
            all.iter().any(|one| [ID_KP_SERVER_AUTH, ANY_EXTENDED_KEY_USAGE].contains(one))
        })
    })
}

/// Which servers are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// `prefer` and `require` without a root certificate: any server.
    Anybody,
    /// `verify-ca`.
    Chain,
    /// `verify-full`.
    ChainAndName,
}

#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    anchors: Anchors,
    /// `None` if no certificate can be signed by one of the anchors.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// Whether a certificate has to be on no list of revoked ones.
    is_revocable: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(
        trust: Trust,
        anchors: Anchors,
        chain: Option<Arc<WebPkiServerVerifier>>,
        is_revocable: bool,
        provider: Arc<CryptoProvider>,
    ) -> Verifier {
        Verifier { trust, anchors, chain, is_revocable, provider }
    }

    /// Verifies a certificate that is itself a root, which the library refuses to be a server's.
    fn verify_own(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Option<Result<(), Error>> {
        let is_root = self.anchors.roots.iter().any(|root| root.as_ref() == certificate.as_ref());
        if self.is_revocable || !is_root {
            return None;
        }
        let parsed = parsed(certificate)?;
        if !is_valid_at(&parsed, now) || !is_for_servers(&parsed) {
            return None;
        }
        let named = ParsedCertificate::try_from(certificate);
        Some(named.and_then(|certificate| verify_server_name(&certificate, name)))
    }

    /// Whether a certificate in which everything else is valid has the server's name as its common name, or needs
    /// none.
    fn accepts_name(&self, certificate: &TbsCertificate, server: &ServerName<'_>) -> bool {
        self.trust == Trust::Chain || has_common_name(certificate, &server.to_str())
    }

    /// Verifies a certificate of version 1, but not its name: it is itself a root, or a root has signed it.
    fn verify_version_1(
        &self,
        der: &CertificateDer<'_>,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<(), Error> {
        let known = &self.provider.signature_verification_algorithms;
        let is_root = |root: &CertificateDer<'_>| {
            root.as_ref() == der.as_ref()
                || parsed(root).is_some_and(|root| {
                    is_authority(&root) && is_signed_by(certificate, &root, known)
                })
        };
        if self.is_revocable {
            return Err(CertificateError::UnknownRevocationStatus.into());
        }
        if !is_valid_at(&certificate.tbs_certificate, now) {
            return Err(CertificateError::Expired.into());
        }
        if !self.anchors.roots.iter().any(is_root) {
            return Err(CertificateError::UnknownIssuer.into());
        }
        Ok(())
    }
}

/// The error of a certificate of another server.
fn is_another(server: &ServerName<'_>) -> Error {
    let (expected, presented) = (server.to_owned(), Vec::new());
    CertificateError::NotValidForNameContext { expected, presented }.into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trust == Trust::Anybody {
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(certificate) = version_1(end_entity) {
            self.verify_version_1(end_entity, &certificate, now)?;
            let is_accepted = self.accepts_name(&certificate.tbs_certificate, server_name);
            let accepted = is_accepted.then(ServerCertVerified::assertion);
            return accepted.ok_or_else(|| is_another(server_name));
        }
        let others: Vec<_> = intermediates.iter().chain(&self.anchors.others).cloned().collect();
        let verdict = match (self.verify_own(end_entity, server_name, now), &self.chain) {
            (Some(verdict), _) => verdict.map(|()| ServerCertVerified::assertion()),
            (None, Some(chain)) => {
                chain.verify_server_cert(end_entity, &others, server_name, ocsp_response, now)
            }
            (None, None) => Err(CertificateError::UnknownIssuer.into()),
        };
        let is_named =
            || parsed(end_entity).is_some_and(|one| self.accepts_name(&one, server_name));
        match verdict {
            // The name is checked last, so everything else is valid.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.trust == Trust::Chain || is_named() => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        match version_1(certificate) {
            Some(one) => version1::verify_tls12(message, &one.tbs_certificate, signature, known),
            None => rustls::crypto::verify_tls12_signature(message, certificate, signature, known),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        match version_1(certificate) {
            Some(one) => version1::verify_tls13(message, &one.tbs_certificate, signature, known),
            None => rustls::crypto::verify_tls13_signature(message, certificate, signature, known),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
