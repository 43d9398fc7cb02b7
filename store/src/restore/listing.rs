//! Who is in a vault.

use lukko::{PatientId, VaultId};

use super::failure::Failure;
use crate::store::Store;

/// Patients that are read at once.
const PAGE: u32 = 200;

/// Every patient of a vault. A row whose id is none is left out: nothing opens it, and [`super::verify()`] names it.
pub(super) async fn patients(store: &impl Store, vault: VaultId) -> Result<Vec<Vec<u8>>, Failure> {
    let mut patients: Vec<Vec<u8>> = Vec::new();
    loop {
        let page = store.patients(vault, patients.last().map(Vec::as_slice), PAGE).await?;
        if page.is_empty() {
            patients.retain(|patient| PatientId::new(patient).is_ok());
            return Ok(patients);
        }
        patients.extend(page);
    }
}
