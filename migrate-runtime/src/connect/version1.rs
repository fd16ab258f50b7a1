//! What OpenSSL accepts of a certificate and rustls does not support: version 1, and the host as the common name
//! of the subject.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::{Certificate, TbsCertificate};

/// Whether the certificate has no names but the common name of its subject, and that is `host`; a `*` is one
/// label, the first.
pub(super) fn has_common_name(certificate: &TbsCertificate, host: &str) -> bool {
    let has_others = !matches!(certificate.get::<SubjectAltName>(), Ok(None));
    let mut all = certificate.subject.0.iter().flat_map(|names| names.0.iter());
    let name = all.find(|name| name.oid == CN).map(|name| name.value.value());
    let Some(name) = name.and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    let is_it = match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, host)| rest.eq_ignore_ascii_case(host)),
        None => name.eq_ignore_ascii_case(host),
    };
    !has_others && is_it
}

/// Whether `issuer` has signed the certificate.
pub(super) fn is_signed_by(
    certificate: &Certificate,
    issuer: &TbsCertificate,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let (Ok(message), Some(signature), Some(how)) = (
        certificate.tbs_certificate.to_der(),
        certificate.signature.as_bytes(),
        contents(&certificate.signature_algorithm),
    ) else {
        return false;
    };
    certificate.tbs_certificate.issuer == issuer.subject
        && algorithms.all.iter().any(|algorithm| {
            algorithm.signature_alg_id().as_ref() == how
                && is_signature(*algorithm, issuer, &message, signature)
        })
}

/// Whether this is the signature of a message with the key of `signer`.
fn is_signature(
    algorithm: &dyn SignatureVerificationAlgorithm,
    signer: &TbsCertificate,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let info = &signer.subject_public_key_info;
    let (kind, key) = (contents(&info.algorithm), info.subject_public_key.as_bytes());
    kind.is_some_and(|kind| algorithm.public_key_alg_id().as_ref() == kind)
        && key.is_some_and(|key| algorithm.verify_signature(key, message, signature).is_ok())
}

/// The contents of an algorithm's sequence.
fn contents(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let mut bytes = algorithm.oid.to_der().ok()?;
    if let Some(parameters) = &algorithm.parameters {
        bytes.extend(parameters.to_der().ok()?);
    }
    Some(bytes)
}

/// The signature of a handshake of TLS 1.2.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &TbsCertificate,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let known = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme);
    let Some((_, possible)) = known else {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    };
    let is_it = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        is_signature(*algorithm, certificate, message, signature.signature())
    };
    if possible.iter().any(is_it) {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(CertificateError::BadSignature.into())
    }
}

/// The signature of a handshake of TLS 1.3.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &TbsCertificate,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = certificate.subject_public_key_info.to_der();
    let key = key.map_err(|_| Error::from(CertificateError::BadEncoding))?;
    let key = SubjectPublicKeyInfoDer::from(key);
    verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
}

/// The certificate, if it is of version 1.
pub(super) fn version_1(certificate: &[u8]) -> Option<Certificate> {
    let parsed = Certificate::from_der(certificate).ok()?;
    (parsed.tbs_certificate.version == x509_cert::certificate::Version::V1).then_some(parsed)
}
