//! Servers of PostgreSQL that a test starts itself, because it stops them, kills them or gives them settings of their own.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::Session;

/// The programs of the server that the environment names, and who may run them.
#[derive(Clone)]
pub struct Programs {
    binaries: PathBuf,
    owner: u32,
}

impl Programs {
    /// None if there is no server at all.
    pub async fn find() -> Option<Self> {
        let database = crate::postgres::fresh("programs").await?;
        let session = Session::to(&format!("postgres:///{database}")).await;
        let query = "SELECT (SELECT setting FROM pg_config WHERE name = 'BINDIR'), current_setting('data_directory')";
        let row = session.rows(query).await.remove(0);
        crate::postgres::remove(&database).await;
        Some(Self { binaries: PathBuf::from(&row[0]), owner: std::fs::metadata(&row[1]).unwrap().uid() })
    }

    /// A program, as the user who may run it: not as root, which PostgreSQL and PgBouncer refuse.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let own = std::fs::metadata("/proc/self").unwrap().uid() == self.owner;
        let mut command = if own { Command::new("env") } else { Command::new("setpriv") };
        if !own {
            command.args(["--reuid", &self.owner.to_string(), "--clear-groups"]);
        }
        command.arg(program.as_ref()).current_dir("/").env_remove("PGHOST").env_remove("PGPORT");
        command
    }

    /// A directory in which those programs may write.
    pub fn directory(&self) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(directory.path(), Some(self.owner), None).unwrap();
        directory
    }
}

/// A server, which ends with it.
pub struct Server {
    directory: tempfile::TempDir,
    programs: Programs,
    port: u16,
    /// Where its socket is.
    sockets: PathBuf,
}

impl Server {
    /// Makes a server and starts it. The port is the name of a socket in the server's own directory. `settings` are lines
    /// of postgresql.conf.
    pub fn start(programs: &Programs, port: u16, settings: &str) -> Self {
        let directory = programs.directory();
        let sockets = directory.path().to_owned();
        let server = Self { directory, programs: programs.clone(), port, sockets };
        server.make(settings);
        server
    }

    /// Another server, at the same address.
    pub fn start_instead(&self, settings: &str) -> Self {
        let (directory, programs, sockets) = (self.programs.directory(), self.programs.clone(), self.sockets.clone());
        let server = Self { directory, programs, port: self.port, sockets };
        server.make(settings);
        server
    }

    fn make(&self, settings: &str) {
        self.run("initdb", &["--auth=trust", "--username=postgres", "--no-sync", "-D"]);
        self.set(&format!("listen_addresses = ''\nport = {}\n{settings}", self.port));
        self.set(&format!("unix_socket_directories = '{}'", self.sockets.display()));
        self.begin();
    }

    /// Adds lines to postgresql.conf, of which the last one of a name counts.
    pub fn set(&self, lines: &str) {
        use std::io::Write;
        let path = self.data().join("postgresql.conf");
        writeln!(std::fs::File::options().append(true).open(path).unwrap(), "{lines}").unwrap();
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn begin(&self) {
        let log = self.directory.path().join("log");
        self.run("pg_ctl", &["start", "--wait", "-l", log.to_str().unwrap(), "-D"]);
    }

    /// What the server has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// `immediate` is as if its machine had lost its power, but for what the operating system still writes.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["stop", "--wait", "-m", mode, "-D"]);
    }

    /// Runs a program on the server's directory, as who owns it.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = self.programs.command(self.programs.binaries.join(program));
        command.args(arguments).arg(self.data());
        let output = command.stdout(std::process::Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The directory of its socket, and the name of it.
    pub fn host(&self) -> (&Path, u16) {
        (&self.sockets, self.port)
    }

    pub fn url(&self, database: &str) -> String {
        socket_url(&self.sockets, self.port, database)
    }
}

/// The address of a database behind a socket.
pub fn socket_url(directory: &Path, port: u16, database: &str) -> String {
    let host = directory.to_str().unwrap().replace('/', "%2F");
    format!("postgres://postgres@{host}:{port}/{database}")
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop("immediate");
        }
    }
}
