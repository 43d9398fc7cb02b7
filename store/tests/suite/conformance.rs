//! What every store must do, run on each of them.

use lukko_store::{MemoryStore, SqliteStore};

use crate::{erasures, jobs, keys, lifecycle, mismatch, postgres, records};

/// A directory that goes away when the test ends.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Every case, on the store that `$open` gives. `$open` is an expression of an `Option`: none skips, and says so.
macro_rules! conformance {
    ($name:ident, $open:expr) => {
        mod $name {
            use super::*;

            conformance!(@cases $open;
                keys::t090_a_repeated_enrolment_changes_nothing,
                keys::t096_of_two_generations_one_is_stored,
                keys::t096_an_older_roster_is_refused,
                keys::t095_of_two_enrolments_at_once_one_is_stored,
                keys::t094_a_change_is_made_whole_or_not_at_all,
                keys::t107_an_erasure_takes_one_patient_and_no_other,
                keys::t106_an_erasure_is_repeated_and_its_receipt_filled_in,
                keys::t106_a_key_whose_grant_was_withdrawn_is_on_the_receipt,
                keys::t105_records_that_an_erasure_kept_hold_no_generation,
                keys::t108_an_erased_id_is_enrolled_anew,
                keys::t105_a_retired_generation_has_nothing_left,
                records::t097_a_writer_who_was_overtaken_is_refused,
                records::t097_of_many_writers_at_once_one_wins,
                records::t095_a_record_is_never_written_under_an_older_card,
                records::t090_t094_new_records_of_two_patients_in_one_change,
                records::t026_ids_are_compared_bytewise,
                records::t144_listings_give_every_row_once,
                jobs::t094_every_piece_is_claimed_once,
                jobs::t093_a_rotation_stops_and_goes_on,
                jobs::t095_a_rekey_moves_every_record,
                jobs::t015_t016_t022_t098_verify_names_what_does_not_open,
                jobs::t094_a_lease_that_ended_goes_to_the_next_worker,
                jobs::t106_an_erasure_without_a_closing_roster_is_a_finding,
                jobs::t098_a_lost_or_altered_attachment_is_a_finding,
                jobs::t094_a_job_that_is_over_is_not_begun_again,
                jobs::t093_a_generation_is_not_retired_while_a_patient_needs_it,
                jobs::t024_a_rekey_does_not_believe_the_column,
                jobs::t094_a_change_that_holds_a_lost_claim_is_refused,
                keys::t108_a_late_grant_of_an_erased_card_is_refused,
                records::t107_an_object_that_was_given_up_is_named_by_nothing,
                jobs::an_import_leaves_another_text_in_its_place,
                lifecycle::t093_a_rekey_by_a_late_client_leaves_the_quorum_its_way,
                lifecycle::t093_a_planted_master_grant_of_an_older_card_is_replaced,
                lifecycle::t093_an_endorsement_keeps_the_master_grant_of_the_card_before,
                lifecycle::t093_a_generation_with_the_last_way_to_a_card_is_not_retired,
                lifecycle::t093_an_older_card_with_records_keeps_its_generation,
                lifecycle::t093_a_rotation_names_the_older_card_that_it_cannot_bring,
                erasures::t107_an_erasure_waits_for_the_roster_of_every_generation,
                erasures::t107_nobody_is_erased_without_a_roster_that_closes_the_card,
                erasures::t107_an_older_card_is_closed_too,
                erasures::t107_records_that_were_kept_are_deleted_later,
                erasures::t107_the_pieces_of_an_erased_patient_go_too,
                erasures::t107_a_planted_card_that_follows_anothers_stops_nothing,
                lifecycle::t107_a_sweep_takes_no_object_that_a_record_names,
                lifecycle::t095_a_rekey_says_that_the_older_card_is_open,
                lifecycle::t096_the_roster_of_a_generation_counts_on,
                lifecycle::t094_a_job_whose_pieces_are_held_is_not_over,
                mismatch::t016_t018_a_record_is_stored_in_its_place_only,
                mismatch::t016_t023_an_attachments_object_is_named_by_its_record_only,
                mismatch::t017_t020_keys_are_stored_in_their_place_only,
                mismatch::t093_t095_jobs_store_what_fits,
                mismatch::t155_a_deposit_is_taken_over_once,
                mismatch::t024_a_rekey_looks_into_attachments,
                mismatch::t142_a_copy_goes_on_behind_a_retirement,
                long::t093_a_rotation_is_stopped,
                long::t095_a_rewrap_is_stopped,
                long::t095_a_reseal_is_stopped,
                long::t106_t107_an_erasure_is_stopped,
                long::t090_an_import_is_stopped,
                long::t098_a_verification_is_stopped,
                long::t023_uploads_are_stopped,
            );
        }
    };
    (@cases $open:expr; $($module:ident :: $case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some((store, _kept)) = $open {
                    $module::$case(store).await;
                }
            }
        )*
    };
}

/// Jobs that are stopped in the middle, go on with two workers, and end.
mod long {
    use lukko_store::Store;

    use crate::work::{Kind, stops_and_goes_on};

    macro_rules! stopped {
        ($($name:ident: $kind:ident),*) => {
            $(pub async fn $name(store: impl Store + 'static) { stops_and_goes_on(Kind::$kind, store).await }) *
        };
    }

    stopped! {
        t093_a_rotation_is_stopped: Rotation,
        t095_a_rewrap_is_stopped: Rewrap,
        t095_a_reseal_is_stopped: Reseal,
        t106_t107_an_erasure_is_stopped: Erasure,
        t090_an_import_is_stopped: Import,
        t098_a_verification_is_stopped: Verify,
        t023_uploads_are_stopped: Uploads
    }
}

conformance!(memory, Some((MemoryStore::new(), ())));
conformance!(sqlite, {
    let scratch = scratch();
    Some((SqliteStore::open(scratch.path().join("vault.db")).await.unwrap(), scratch))
});
conformance!(postgresql, postgres::open("plain", 0).await);
conformance!(postgresql_partitioned, postgres::open("partitioned", 5).await);
