//! The address of a database: a URL, and what it leaves out from the environment, by the names of PostgreSQL's own programs.

use std::path::Path;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::passwords;
use super::tls::Tls;
use crate::error::{Error, Result};

/// Where a server is, and who asks it for what.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
}

/// How a connection is encrypted, and what a server has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Paths of PEM files, or their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) root: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) key: Option<String>,
}

/// What a URL and the environment say.
#[derive(Clone, Default, PartialEq, Eq)]
struct Said {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    application: Option<String>,
    options: Option<String>,
    mode: Option<String>,
    files: Files,
}

/// Where Debian, macOS and others have the server's socket.
const SOCKETS: [&str; 3] = ["/var/run/postgresql", "/private/tmp", "/tmp"];
/// After this time without an answer to what was sent, a connection counts as cut. Only Linux can set it.
const SILENCE: Duration = Duration::from_secs(30);

impl Address {
    /// # Errors
    /// [`Error::Unavailable`], with the part of the URL that is not understood.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let said = Said::by(url, |name| std::env::var(name).ok())?;
        let mode = said.mode()?;
        let port = said.port()?;
        let host = said.host.clone().unwrap_or_else(|| socket(port));
        let mut config = Config::new();
        config.host(&host).port(port).tcp_user_timeout(SILENCE);
        config.ssl_mode(match mode {
            // The server's machine is this one.
            _ if host.starts_with('/') => SslMode::Disable,
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        let user = match &said.user {
            Some(user) => user.clone(),
            None => whoami::username().map_err(|_| wrong("it names no user, and this process has no user's name"))?,
        };
        let database = said.database.as_ref().unwrap_or(&user);
        let password = said.password.clone().or_else(|| passwords::find([&host, &port.to_string(), database, &user]));
        if let Some(password) = password {
            config.password(password);
        }
        config.user(&user).dbname(database);
        said.application.map(|name| config.application_name(name));
        said.options.map(|options| config.options(options));
        Ok(Self { config, tls: Tls::new(mode, &said.files)? })
    }
}

/// The directory of the server's socket on this machine, or else its own address.
fn socket(port: u16) -> String {
    let there = |directory: &&str| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists();
    SOCKETS.into_iter().find(there).unwrap_or("localhost").to_owned()
}

fn wrong(what: &str) -> Error {
    Error::unavailable(format!(
        "the database's address is not understood: {what}. It has the form postgres://user@host:port/name?sslmode=verify-full"
    ))
}

impl Said {
    /// The parts of a URL, and for what it leaves out the variables of the environment.
    fn by(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let own = Self::of(url)?;
        let or = |own: Option<String>, name| own.or_else(|| environment(name));
        Ok(Self {
            host: or(or(own.host, "PGHOSTADDR"), "PGHOST"),
            port: or(own.port, "PGPORT"),
            user: or(own.user, "PGUSER"),
            password: or(own.password, "PGPASSWORD"),
            database: or(own.database, "PGDATABASE"),
            application: or(own.application, "PGAPPNAME"),
            options: or(own.options, "PGOPTIONS"),
            mode: or(own.mode, "PGSSLMODE"),
            files: Files {
                root: or(own.files.root, "PGSSLROOTCERT"),
                certificate: or(own.files.certificate, "PGSSLCERT"),
                key: or(own.files.key, "PGSSLKEY"),
            },
        })
    }

    fn of(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or_else(|| wrong("it begins with neither postgres:// nor postgresql://"))?;
        let (front, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = front.split_once('/').unwrap_or((front, ""));
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
        let (host, port) = place_and_port(place)?;
        let mut said = Self {
            host: some(host)?,
            port: some(port)?,
            user: some(user)?,
            password: password.map(decoded).transpose()?,
            database: some(path)?,
            ..Self::default()
        };
        for (name, value) in
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        {
            // In this part of a URL a plus is a space.
            said.parameter(&decoded(name)?, decoded(&value.replace('+', " "))?)?;
        }
        Ok(said)
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<()> {
        let place = match name {
            "host" | "hostaddr" => &mut self.host,
            "port" => &mut self.port,
            "user" => &mut self.user,
            "password" => &mut self.password,
            "dbname" => &mut self.database,
            "application_name" => &mut self.application,
            "sslmode" | "ssl-mode" => &mut self.mode,
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => &mut self.files.root,
            "sslcert" | "ssl-cert" => &mut self.files.certificate,
            "sslkey" | "ssl-key" => &mut self.files.key,
            "options" => {
                self.option(&value);
                return Ok(());
            }
            _ => {
                let setting = name.strip_prefix("options[").and_then(|rest| rest.strip_suffix(']'));
                let setting = setting.ok_or_else(|| wrong(&format!("it has the unknown parameter {name}")))?;
                let escaped = value.replace('\\', "\\\\").replace(' ', "\\ ");
                self.option(&format!("-c {setting}={escaped}"));
                return Ok(());
            }
        };
        *place = Some(value);
        Ok(())
    }

    fn option(&mut self, option: &str) {
        let options = self.options.get_or_insert_default();
        if !options.is_empty() {
            options.push(' ');
        }
        options.push_str(option);
    }

    fn port(&self) -> Result<u16> {
        let Some(port) = &self.port else { return Ok(5432) };
        port.parse().map_err(|_| wrong("its port is not a number up to 65535"))
    }

    fn mode(&self) -> Result<Mode> {
        Ok(match self.mode.as_deref() {
            None | Some("prefer") => Mode::Prefer,
            Some("disable" | "allow") => Mode::Disable,
            Some("require") => Mode::Require,
            Some("verify-ca") => Mode::VerifyCa,
            Some("verify-full") => Mode::VerifyFull,
            Some(_) => return Err(wrong("sslmode is disable, allow, prefer, require, verify-ca or verify-full")),
        })
    }
}

/// An address of version 6 has colons itself, and stands in brackets.
fn place_and_port(place: &str) -> Result<(&str, &str)> {
    if place.contains(',') {
        return Err(wrong("it names several hosts, and the store is on one: give the primary's address"));
    }
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok((host, rest.strip_prefix(':').unwrap_or(rest)));
    }
    Ok(place.split_once(':').unwrap_or((place, "")))
}

fn decoded(text: &str) -> Result<String> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("a part of it is not UTF-8"))?;
    Ok(text.into_owned())
}

/// A part of a URL, if it is there.
fn some(part: &str) -> Result<Option<String>> {
    if part.is_empty() { Ok(None) } else { decoded(part).map(Some) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Files, Mode, Said};

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn said(url: &str) -> Said {
        Said::by(url, nothing).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_url_says_where_the_server_is() {
        let all = said("postgresql://an%40a:p%3Aw@db.example:6543/clin%20ic?application_name=a+b&sslmode=verify-full");
        let of = |text: &str| Some(text.to_owned());
        assert_eq!((all.user.clone(), all.password.clone()), (of("an@a"), of("p:w")));
        assert_eq!((all.host.clone(), all.port().unwrap()), (of("db.example"), 6543));
        assert_eq!((all.database.clone(), all.application.clone()), (of("clin ic"), of("a b")));
        assert_eq!(all.mode().unwrap(), Mode::VerifyFull);
        assert_eq!(said("postgres://").port().unwrap(), 5432);
        assert_eq!(said("postgres:///clinic").host, None);
        assert_eq!(said("postgres://[::1]:7/x").host, of("::1"));
        assert_eq!(said("postgres://[::1]/x").port().unwrap(), 5432);
        // A socket's directory: in the place of the host, or behind the question mark, which goes before it.
        for url in ["postgres://u@%2Frun%2Fpg:7/x", "postgres://u@localhost:5/x?host=%2Frun%2Fpg&port=7"] {
            assert_eq!((said(url).host, said(url).port().unwrap()), (of("/run/pg"), 7), "{url}");
        }
        let files = said("postgres:///x?sslrootcert=/a&ssl-cert=/b&sslkey=/c").files;
        assert_eq!(files, Files { root: of("/a"), certificate: of("/b"), key: of("/c") });
        let options = said("postgres:///x?options=-c%20a%3D1&options[b]=2 3").options;
        assert_eq!(options.unwrap(), r"-c a=1 -c b=2\ 3");
    }

    #[test]
    fn the_environment_says_what_the_url_leaves_out() {
        let environment = |name: &str| Some(format!("of {name}"));
        let own = Said::by("postgres://me:word@here:1/it?sslmode=disable", environment).unwrap();
        assert_eq!((own.host.unwrap().as_str(), own.port.unwrap().as_str()), ("here", "1"));
        assert_eq!((own.user.unwrap().as_str(), own.password.unwrap().as_str()), ("me", "word"));
        let other = Said::by("postgres://", environment).unwrap();
        let values = [other.host, other.port, other.user, other.password, other.database, other.mode, other.files.root];
        let names = ["PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT"];
        assert_eq!(values.map(Option::unwrap), names.map(|name| format!("of {name}")));
        let host = Said::by("postgres://", |name| (name == "PGHOST").then(|| "/run".to_owned())).unwrap().host;
        assert_eq!(host.unwrap(), "/run");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (url, word) in [
            ("mysql://x", "postgres://"),
            ("host=localhost", "postgres://"),
            ("postgres://a,b/x", "several hosts"),
            ("postgres:///x?statement-cache-capacity=1", "statement-cache-capacity"),
            ("postgres:///x?target_session_attrs=any", "target_session_attrs"),
            ("postgres:///%ff", "UTF-8"),
        ] {
            let error = Said::by(url, nothing).err().unwrap_or_else(|| panic!("{url}"));
            assert!(error.to_string().contains(word), "{url}: {error}");
        }
        for url in ["postgres://a:99999/x", "postgres://a:x/x"] {
            assert!(said(url).port().unwrap_err().to_string().contains("port"), "{url}");
        }
        assert!(said("postgres:///x?sslmode=verify").mode().unwrap_err().to_string().contains("verify-full"));
        // A password is in none of them.
        let error = Said::by("postgres://u:opensesame@a,b/x", nothing).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("opensesame"));
    }
}
