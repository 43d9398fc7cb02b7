//! Writes the seeds of every target under `fuzz/seeds`, from the worlds with their fixed generator.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(root.join("fuzz_targets"))? {
        let path = entry?.path();
        let Some(target) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let folder = root.join("seeds").join(target);
        fs::create_dir_all(&folder)?;
        for (at, seed) in lukko_fuzz::seeds::of(target).iter().enumerate() {
            fs::write(folder.join(format!("{at:02}")), seed)?;
            files += 1;
            bytes += seed.len();
        }
    }
    println!("{files} seeds, {bytes} bytes");
    Ok(())
}
