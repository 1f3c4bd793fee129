//! What is in the files that mails bring along.

use anyhow::Context;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::definitions::{Definitions, key};
use crate::rows::failed;

/// The kind of these rows, which are no definitions: each is named by a digest of what it holds,
/// so it never changes, and definitions of any version can name it.
const KIND: &str = "content";

impl Definitions {
    /// Keeps what a file holds, under its digest. Whatever names it is to be saved after.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_content(&self, digest: &str, content: Vec<u8>) -> anyhow::Result<()> {
        let mut item = key(KIND, digest);
        item.insert("content".into(), AttributeValue::B(Blob::new(content)));
        let put = self.db().put_item().table_name(self.table()).set_item(Some(item)).send();
        put.await.map(drop).map_err(failed("a file's content could not be kept"))
    }

    /// What a file holds.
    ///
    /// # Errors
    /// If the table cannot be read, or there is no such content.
    pub async fn content(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let item = self.item(KIND, digest).await?.context("a file's content is not there")?;
        let content = item.get("content").and_then(|content| content.as_b().ok());
        Ok(content.context("a file's content is not there")?.as_ref().to_vec())
    }
}
