//! Both forms of a memory keep the same promises.

use super::{Memory, Remember};

/// A file that goes away with its directory, and one in the process.
async fn both() -> (tempfile::TempDir, [Memory; 2]) {
    let directory = tempfile::tempdir().unwrap();
    let file = Memory::file(directory.path().join("memory.db")).await.unwrap();
    (directory, [file, Memory::in_memory()])
}

#[tokio::test]
async fn a_value_is_replaced_only_where_it_is_still_the_one_that_was_read() {
    let (_directory, memories) = both().await;
    for memory in &memories {
        let memory: &dyn Remember = memory.inner();
        let write = |was, now| async move { memory.write(b"about", was, now).await.unwrap() };
        assert!(!write(Some(b"one".as_slice()), Some(b"two".as_slice())).await, "there is none yet");
        assert!(write(None, None).await);
        assert!(write(None, Some(b"one".as_slice())).await);
        assert!(!write(None, Some(b"two".as_slice())).await, "there is one");
        assert!(!write(None, None).await);
        assert!(!write(Some(b"two".as_slice()), Some(b"three".as_slice())).await);
        assert!(write(Some(b"one".as_slice()), Some(b"two".as_slice())).await);
        assert_eq!(memory.read(b"about").await.unwrap().unwrap(), b"two");
        assert!(!write(Some(b"one".as_slice()), None).await);
        assert!(write(Some(b"two".as_slice()), None).await);
        assert_eq!(memory.read(b"about").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_listing_has_what_begins_so_in_order_and_page_by_page() {
    let (_directory, memories) = both().await;
    for memory in &memories {
        let memory = memory.inner();
        let subjects: [&[u8]; 8] = [b"a", b"b", b"b\0", b"b\0\0", b"b\xff", b"b\xff\xff", b"c", b"c\0"];
        for about in subjects {
            assert!(memory.write(about, None, Some(b"noted")).await.unwrap());
        }
        for limit in 1..6 {
            let (mut met, mut after) = (Vec::new(), None::<Vec<u8>>);
            loop {
                let page = memory.list(b"b", after.as_deref(), limit).await.unwrap();
                assert!(page.len() <= limit as usize && page.iter().all(|(_, value)| value == b"noted"));
                after = page.last().map(|(about, _)| about.clone());
                met.extend(page.into_iter().map(|(about, _)| about));
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(met, subjects[1..6]);
        }
        assert_eq!(memory.list(b"b\xff", None, 9).await.unwrap().len(), 2);
        assert!(memory.list(b"d", None, 9).await.unwrap().is_empty());
    }
}

/// Of several that replace the same value at once, one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_several_writers_wins() {
    let (_directory, memories) = both().await;
    for memory in &memories {
        let write = |number: u8| {
            let memory = memory.clone();
            tokio::spawn(async move { memory.inner().write(b"about", None, Some(&[number])).await.unwrap() })
        };
        let writers: Vec<_> = (0..8).map(write).collect();
        let mut won = 0;
        for writer in writers {
            won += u32::from(writer.await.unwrap());
        }
        assert_eq!(won, 1);
    }
}
