//! Long work over all patients, as streams of progress.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, pin_mut, stream};
use lukko::FieldLabel;
use lukko_store::{After, KeyOf, Record, Store, VerifyJob, Worker};
use tokio::sync::mpsc::{Sender, channel};

pub use lukko_store::Progress;

use crate::clinic::Clinic;
use crate::error::Result;
use crate::memory::subject::Place;
use crate::names;
use crate::note::Items;

/// For how long a worker holds a patient.
const LEASE: Duration = Duration::from_secs(600);
/// Patients, and records, that are read at once.
const PAGE: u32 = 256;

impl<S: Store> Clinic<S> {
    /// Opens every patient that this member may read, and every record, and says which cannot be read and why. Each item is
    /// one patient. `job` names the work: several workers share one name, and what is over is verified again under another.
    ///
    /// A patient who is not granted to this member is a finding, and so is an attachment where the clinic has no place for
    /// attachments. It changes nothing, and compares nothing with the memory: [`Clinic::differences`] does.
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
    /// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
    /// # let founded = Clinic::found(store, Memory::in_memory(), plan).await?;
    /// # let clinic = founded.clinic.clone().with_files(Attachments::local(directory.path())?);
    /// # let session = clinic.session(Purpose::care("appointment"));
    /// # let patient = session.enrol().await?;
    /// use futures_util::StreamExt as _;
    /// let mut progress = clinic.verify("2026-11-29");
    /// while let Some(patient) = progress.next().await {
    ///     assert!(patient?.findings.is_empty());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn verify(&self, job: &str) -> Items<Progress>
    where
        S: 'static,
    {
        let (clinic, job) = (self.clone(), job.to_owned());
        progress(move |sender| async move { clinic.verify_into(&job, sender).await })
    }

    async fn verify_into(&self, job: &str, sender: Sender<Result<Progress>>) -> Result<()> {
        let vault = self.follow().await?;
        let labels = self.deposit_fields().await?;
        let deposits = labels.iter().map(FieldLabel::new).collect::<lukko::Result<Vec<_>>>()?;
        let worker = Worker { store: self.store(), vault: self.id(), job, lease: LEASE, clock: SystemTime::now };
        let by = KeyOf::Member(self.me());
        let run = worker.run(VerifyJob { vault: &vault, by, attachments: self.files().ok(), deposits: &deposits });
        pin_mut!(run);
        while let Some(progress) = run.next().await {
            if sender.send(progress.map_err(Into::into)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Every field of deposits that a record stands in.
    async fn deposit_fields(&self) -> Result<BTreeSet<Vec<u8>>> {
        let (mut fields, mut last) = (BTreeSet::new(), None::<Vec<u8>>);
        loop {
            let page = self.store().patients(self.id(), last.as_deref(), PAGE).await?;
            for patient in &page {
                self.fields_of(patient, &mut fields).await?;
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(fields);
            }
        }
    }

    async fn fields_of(&self, patient: &[u8], fields: &mut BTreeSet<Vec<u8>>) -> Result<()> {
        let mut last = None::<Record>;
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = self.store().records(self.id(), names::patient(patient)?, after, PAGE).await?;
            let place = |record: &Record| Place {
                patient: patient.to_vec(),
                record: record.record.clone(),
                field: record.field.clone(),
            };
            let places: Vec<Place> = page.iter().map(place).collect();
            fields.extend(names::deposit_fields(places.iter()));
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(());
            }
        }
    }
}

/// What a future sends while it works, and its error at the end. It works while somebody asks for the next item.
fn progress<T, F>(work: impl FnOnce(Sender<Result<T>>) -> F) -> Items<T>
where
    T: Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (sender, items) = channel(1);
    let working = stream::once(work(sender)).filter_map(|ended| async move { ended.err().map(Err) });
    let items = stream::unfold(items, |mut items| async move { Some((items.recv().await?, items)) });
    Box::pin(stream::select(items, working))
}
