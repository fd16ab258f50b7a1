//! Decides how a connection is encrypted and which servers it trusts, from `sslmode` and the settings
//! that go with it (manual, section 34.19).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Mistake;

/// The values of `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    pub(super) fn parse(text: &str) -> Result<Mode, Mistake> {
        Ok(match text {
            "disable" => Mode::Disable,
            // The driver cannot request TLS after a refusal without TLS.
            "allow" | "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return Err(Mistake::Value("sslmode")),
        })
    }

    /// The driver's mode for it.
    pub(super) fn driver(self) -> SslMode {
        match self {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// The settings of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    /// Certificates to trust: a file, or `system`.
    pub(super) roots: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("`{}` contains no readable certificate", .0.display())]
    Certificate(PathBuf),
    #[error("`{}` contains no readable private key", .0.display())]
    Key(PathBuf),
    #[error("`sslcert` and `sslkey` have to be set together")]
    Half,
    #[error("this system has no trusted certificates; name a file with `sslrootcert`")]
    NoRoots,
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl Tls {
    /// A connector with these settings.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let setup = |error: Error| TlsError::Setup(error.to_string());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(setup)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let no_key = |_| TlsError::Key(key.clone());
                let key = PrivateKeyDer::from_pem_file(key).map_err(no_key)?;
                builder.with_client_auth_cert(certificates(certificate)?, key).map_err(setup)?
            }
            _ => return Err(TlsError::Half),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, TlsError> {
        let is_system = self.roots.as_deref() == Some(Path::new("system"));
        let trust = match (self.mode, &self.roots) {
            (_, Some(_)) if is_system => Trust::ChainAndName,
            (Mode::VerifyFull, _) => Trust::ChainAndName,
            // As in libpq: with a root certificate file, `require` verifies the chain.
            (Mode::VerifyCa, _) | (Mode::Require, Some(_)) => Trust::Chain,
            (Mode::Disable | Mode::Prefer | Mode::Require, _) => {
                return Ok(Arc::new(Verifier { chain: None, provider: Arc::clone(provider) }));
            }
        };
        let roots = match &self.roots {
            Some(file) if !is_system => roots_of(file)?,
            _ => system_roots()?,
        };
        let (roots, provider) = (Arc::new(roots), Arc::clone(provider));
        let built = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
        let chain = built.build().map_err(|error| TlsError::Setup(error.to_string()))?;
        Ok(Arc::new(Verifier { chain: Some((chain, trust)), provider }))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = || TlsError::Certificate(file.to_owned());
    let read = CertificateDer::pem_file_iter(file).map_err(|_| unreadable())?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|_| unreadable())?;
    if read.is_empty() { Err(unreadable()) } else { Ok(read) }
}

fn roots_of(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|_| TlsError::Certificate(file.to_owned()))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // A system's store may contain a few certificates that cannot be parsed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// Which servers are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// `verify-ca`.
    Chain,
    /// `verify-full`.
    ChainAndName,
}

#[derive(Debug)]
struct Verifier {
    /// `None` if any server is trusted, as `prefer` and `require` do.
    chain: Option<(Arc<WebPkiServerVerifier>, Trust)>,
    provider: Arc<CryptoProvider>,
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
        let Some((chain, trust)) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let verdict =
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The name is checked last, so everything else is valid.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if *trust == Trust::Chain => Ok(ServerCertVerified::assertion()),
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
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
