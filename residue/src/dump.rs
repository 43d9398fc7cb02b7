//! A process's memory, and the search in it.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::secrets::Secret;

/// Length of what is looked for, in bytes.
const WINDOW: usize = 16;

/// Dumps the memory of a process with `gcore`.
pub(crate) fn of(pid: u32) -> Outcome<Vec<u8>> {
    let prefix = std::env::temp_dir().join(format!("lukko-residue-{}", std::process::id()));
    let gcore = Command::new("gcore").arg("-o").arg(&prefix).arg(pid.to_string()).stdout(Stdio::null()).output()?;
    let path = prefix.with_file_name(format!("lukko-residue-{}.{pid}", std::process::id()));
    let core = fs::read(&path);
    fs::remove_file(&path).ok();
    core.map_err(|_| format!("gcore failed: {}", String::from_utf8_lossy(&gcore.stderr)).into())
}

/// Every window of every secret.
pub(crate) struct Windows(HashMap<[u8; WINDOW], usize>);

impl Windows {
    pub(crate) fn of(secrets: &[Secret]) -> Self {
        let mut all = HashMap::new();
        for (at, secret) in secrets.iter().enumerate() {
            for window in secret.bytes.windows(WINDOW) {
                all.insert(window.try_into().unwrap_or([0; WINDOW]), at);
            }
        }
        Self(all)
    }

    /// The places in the list of those that occur in `memory`.
    pub(crate) fn found_in(&self, memory: &[u8]) -> Vec<usize> {
        let mut first = [false; 1 << 16];
        for window in self.0.keys() {
            first[usize::from(u16::from_be_bytes([window[0], window[1]]))] = true;
        }
        let mut found: Vec<usize> = memory
            .windows(WINDOW)
            .filter(|window| first[usize::from(u16::from_be_bytes([window[0], window[1]]))])
            .filter_map(|window| self.0.get(window).copied())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
