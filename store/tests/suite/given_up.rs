//! Callers who do not wait for the end, as a service has them when its clients hang up.

use std::task::Poll;

use lukko_store::{Change, Store};

use crate::clinic::{Clinic, first, patient, with_notes};

/// Asks a future until it has waited so often, then gives it up.
async fn at_most<T>(patience: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (std::pin::pin!(future), patience);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Callers give up at every moment of a read and of a change, and notes are written among them. Gives their names.
pub async fn beside_those_who_give_up(store: &impl Store) -> Vec<Vec<u8>> {
    let mut clinic = Clinic::new(0x100);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let enrolled = with_notes(store, &mut clinic, "p-1", 1).await;
    let (vault, mut given_up, mut written) = (clinic.id(), 0, Vec::new());
    for round in 0..200 {
        let patience = round % 20;
        given_up += usize::from(at_most(patience, store.patient(vault, patient("p-1"))).await.is_none());
        let member = [clinic.founding().pop().unwrap()];
        given_up += usize::from(at_most(patience, store.apply(vault, &member)).await.is_none());
        let name = format!("n-{round}");
        let note = Change::Record(first("p-1", &name, enrolled.card_id, b"written").into());
        store.apply(vault, &[note]).await.unwrap();
        written.push(name.into_bytes());
    }
    println!("{given_up} callers gave up, {} notes written", written.len());
    assert!(given_up > 20, "nobody gave up");
    written
}
