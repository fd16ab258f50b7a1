//! How a connection is encrypted and which servers it trusts, from `sslmode` and the settings that go with it
//! (manual, section 34.19). Where this differs from libpq it refuses more.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, SupportedProtocolVersion};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Mistake;
use super::passfile::is_key_open_to_others;
use super::settings::Settings;
use super::verify::{Anchors, Trust, Verifier};
use crate::outcome::ConnectError;

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
    fn parse(text: &str) -> Option<Mode> {
        Some(match text {
            "disable" => Mode::Disable,
            // The driver cannot request TLS after a refusal without TLS.
            "allow" | "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return None,
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

/// The certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Roots {
    System,
    File(PathBuf),
}

/// The settings of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    roots: Option<Roots>,
    /// The client's own certificate and its key.
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    /// Certificates that are no longer valid.
    revoked: Option<PathBuf>,
    versions: Vec<&'static SupportedProtocolVersion>,
    sends_name: bool,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("`{}` contains no readable certificate", .0.display())]
    Certificate(PathBuf),
    #[error("`{}` contains no certificate that can be a root: signed by itself, and valid now", .0.display())]
    Root(PathBuf),
    #[error("`{}` contains no readable private key", .0.display())]
    Key(PathBuf),
    #[error("the private key `{}` can be read or written by others", .0.display())]
    OpenKey(PathBuf),
    #[error("`{}` contains no readable revocation list", .0.display())]
    Revoked(PathBuf),
    #[error("`sslcert` and `sslkey` have to be set together")]
    Half,
    #[error("this `sslmode` verifies the server's certificate, and there is no root certificate")]
    NoRoots,
    #[error("this system has no trusted certificates; name a file with `sslrootcert`")]
    NoSystemRoots,
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl TlsError {
    /// What to do about it.
    pub(super) fn help(&self) -> &'static str {
        match self {
            TlsError::OpenKey(_) => "`chmod 600` it",
            TlsError::NoRoots => {
                "name a file with `sslrootcert`, or trust the authorities of the system with \
                 `sslmode=verify-full sslrootcert=system`"
            }
            _ => "check `sslrootcert`, `sslcrl`, `sslcert` and `sslkey`",
        }
    }
}

impl Tls {
    /// Those of the settings.
    pub(super) fn of(settings: &Settings<'_>) -> Result<Tls, ConnectError> {
        let mode = settings.parsed("sslmode", Mode::parse)?;
        let roots = match settings.get("sslrootcert") {
            Some("system") => Some(Roots::System),
            _ => settings.file("sslrootcert", ".postgresql/root.crt").map(Roots::File),
        };
        let mode = match (mode, &roots) {
            (None, Some(Roots::System)) => Mode::VerifyFull,
            (Some(mode), Some(Roots::System)) if mode != Mode::VerifyFull => {
                return Err(settings.mistake("sslrootcert", &Mistake::WeakSystem));
            }
            (mode, _) => mode.unwrap_or_default(),
        };
        let is_asked = settings.get("sslcertmode") != Some("disable");
        let file = |key: &str, usual: &str| settings.file(key, usual).filter(|_| is_asked);
        Ok(Tls {
            mode,
            roots,
            certificate: file("sslcert", ".postgresql/postgresql.crt"),
            key: file("sslkey", ".postgresql/postgresql.key"),
            revoked: settings.file("sslcrl", ".postgresql/root.crl"),
            versions: versions(settings)?,
            sends_name: settings.get("sslsni") != Some("0"),
        })
    }

    /// A connector with these settings.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let setup = |error: Error| TlsError::Setup(error.to_string());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .map_err(setup)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match (&self.certificate, &self.key) {
            _ if self.mode == Mode::Disable => builder.with_no_client_auth(),
            // As in libpq: a key without a certificate is of no use.
            (None, _) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(setup)?,
            (Some(_), None) => return Err(TlsError::Half),
        };
        config.enable_sni = self.sends_name;
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<Verifier>, TlsError> {
        let trust = match (self.mode, &self.roots) {
            (Mode::Disable, _) | (Mode::Prefer | Mode::Require, None) => Trust::Anybody,
            // As in libpq: a root certificate makes every mode verify the chain.
            (Mode::Prefer | Mode::Require | Mode::VerifyCa, Some(_)) => Trust::Chain,
            (Mode::VerifyFull, Some(_)) => Trust::ChainAndName,
            (Mode::VerifyCa | Mode::VerifyFull, None) => return Err(TlsError::NoRoots),
        };
        let anchors = match &self.roots {
            _ if trust == Trust::Anybody => Anchors::default(),
            None => Anchors::default(),
            Some(Roots::System) => Anchors::of(rustls_native_certs::load_native_certs().certs),
            Some(Roots::File(file)) => Anchors::of(certificates(file)?),
        };
        let chain = match &self.roots {
            _ if trust == Trust::Anybody => None,
            Some(Roots::File(file)) if anchors.is_empty() => {
                return Err(TlsError::Root(file.clone()));
            }
            _ if anchors.is_empty() => return Err(TlsError::NoSystemRoots),
            _ => self.chain(&anchors, provider)?,
        };
        let is_revocable = self.revoked.is_some();
        Ok(Arc::new(Verifier::new(trust, anchors, chain, is_revocable, Arc::clone(provider))))
    }

    /// Verifies chains; `None` if no certificate can be signed by one of the anchors.
    fn chain(
        &self,
        anchors: &Anchors,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<WebPkiServerVerifier>>, TlsError> {
        let Some(roots) = anchors.authorities() else { return Ok(None) };
        let provider = Arc::clone(provider);
        let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        if let Some(file) = &self.revoked {
            let unreadable = |_| TlsError::Revoked(file.clone());
            let read = CertificateRevocationListDer::pem_file_iter(file).map_err(unreadable)?;
            let lists: Vec<_> = read.collect::<Result<_, _>>().map_err(unreadable)?;
            if lists.is_empty() {
                return Err(TlsError::Revoked(file.clone()));
            }
            builder = builder.with_crls(lists).enforce_revocation_expiration();
        }
        builder.build().map(Some).map_err(|error| TlsError::Setup(error.to_string()))
    }
}

/// From `ssl_min_protocol_version` to `ssl_max_protocol_version`.
fn versions(
    settings: &Settings<'_>,
) -> Result<Vec<&'static SupportedProtocolVersion>, ConnectError> {
    const NAMES: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let place = |text: &str| NAMES.iter().position(|name| name.eq_ignore_ascii_case(text));
    let (least, most) = ("ssl_min_protocol_version", "ssl_max_protocol_version");
    let from = settings.parsed(least, place)?.unwrap_or_default();
    let to = settings.parsed(most, place)?.unwrap_or(NAMES.len() - 1);
    if to < 2 {
        let why = "TLS before 1.2 is not supported";
        return Err(settings.mistake(most, &Mistake::Unsupported(most, why)));
    }
    if from > to {
        return Err(settings.mistake(least, &Mistake::Value(least)));
    }
    let all = [(2, &TLS12), (3, &TLS13)];
    Ok(all.into_iter().filter(|(at, _)| (from..=to).contains(at)).map(|(_, one)| one).collect())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = || TlsError::Certificate(file.to_owned());
    let read = CertificateDer::pem_file_iter(file).map_err(|_| unreadable())?;
    let read: Vec<_> = read.collect::<Result<_, _>>().map_err(|_| unreadable())?;
    if read.is_empty() { Err(unreadable()) } else { Ok(read) }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let unreadable = || TlsError::Key(file.to_owned());
    let metadata = fs::metadata(file).map_err(|_| unreadable())?;
    if is_key_open_to_others(&metadata) {
        return Err(TlsError::OpenKey(file.to_owned()));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|_| unreadable())
}
