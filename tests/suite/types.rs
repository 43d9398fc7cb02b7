//! What types promise.

use std::panic::{RefUnwindSafe, UnwindSafe};

use lukko::*;

fn is_shareable<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}

#[test]
fn everything_can_be_shared_between_threads() {
    is_shareable::<Vault>();
    is_shareable::<PatientKey>();
    is_shareable::<MemberKey>();
    is_shareable::<MasterKey>();
    is_shareable::<RegistrarKey>();
    is_shareable::<Share>();
    is_shareable::<Recovery<'static>>();
    is_shareable::<Opened>();
    is_shareable::<Error>();
}

/// Whether a type is `Clone`, decided at compile time: the inherent constant of `Probe<T: Clone>` wins over the trait's.
macro_rules! is_clone {
    ($type:ty) => {{
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const CLONE: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code)]
        impl<T: Clone> Probe<T> {
            const CLONE: bool = true;
        }
        <Probe<$type>>::CLONE
    }};
}

#[test]
fn secrets_are_not_clone() {
    assert!(is_clone!(Vault), "the probe works");
    assert!(!is_clone!(Share));
    assert!(!is_clone!(MasterKey));
    assert!(!is_clone!(MemberKey));
    assert!(!is_clone!(RegistrarKey));
    assert!(!is_clone!(PatientKey));
    assert!(!is_clone!(Plaintext));
    assert!(!is_clone!(SecretBytes));
    assert!(!is_clone!(SecretText));
    assert!(!is_clone!(Opened));
    assert!(!is_clone!(Enrolment));
    assert!(!is_clone!(NewVault));
    assert!(!is_clone!(Recovery<'static>));
}
