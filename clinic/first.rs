use lukko_clinic::{Attachments, Clinic, Memory, Plan, Purpose, READER, SqliteStore, THERAPIST};

let (store, memory) = (SqliteStore::open("database/clinic.db").await?, Memory::file("aalto/memory.db").await?);
let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
let founded = Clinic::found(store, memory, plan).await?; // shares and keys are handed out from here
let session = founded.clinic.with_files(Attachments::local("files")?).session(Purpose::care("appointment"));
let patient = session.enrol().await?;
let note = patient.write("note", "slept better").await?;
let edited = patient.edit(&note, "slept well").await?;
println!("{}", patient.read(&edited).await?.text());
patient.share_with("niemi").await?;
patient.attach("scan", tokio::fs::File::open("scan.pdf").await?).await?;
patient.search("slept").await?.iter().for_each(|hit| println!("{hit}"));
session.close(); // the patient's key is wiped
