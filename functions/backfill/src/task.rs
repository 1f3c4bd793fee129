use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Kinds, Scanned};

/// What is done with all customers.
pub(crate) trait Task {
    /// What comes of the customers of one part. It is kept with the part's place, so it must
    /// not grow with the number of customers.
    type Tally: Serialize + DeserializeOwned;

    /// What has to be read of each customer.
    fn kinds(&self) -> Kinds;

    /// Whether it is still to be done. Asked before each page; if it is not, the part stays
    /// where it is.
    ///
    /// # Errors
    /// If that cannot be known.
    async fn is_wanted(&self) -> anyhow::Result<bool>;

    /// Does what is to be done with some customers, whole ones, and notes in the tally what
    /// came of them. Whoever dies before the tally is kept does it once more with the same
    /// customers, as they are then: whatever is written here must bear that.
    ///
    /// # Errors
    /// If anything could not be done. The tally is as it was, and the same customers come
    /// again; if it lies in the rows of one of them, the others.
    async fn look_at(&self, customers: &[Scanned], tally: &mut Self::Tally) -> anyhow::Result<()>;

    /// All customers were looked at. It is called before the scan is noted as done, and more
    /// than once if somebody dies in between.
    ///
    /// # Errors
    /// If anything could not be done; it is tried again.
    async fn ended(&self) -> anyhow::Result<()>;
}
