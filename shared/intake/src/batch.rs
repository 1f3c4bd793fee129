use std::future::Future;

use futures::StreamExt;

/// The most things of one batch.
pub const MOST_OF_A_BATCH: usize = 500;

/// How many things of a batch are worked on at the same time.
const AT_ONCE: usize = 16;

/// Works on several things at once; the answers come in the order of the things.
pub async fn at_once<T, Answer, Work>(things: Vec<T>, work: impl Fn(T) -> Work) -> Vec<Answer>
where
    Work: Future<Output = Answer>,
{
    futures::stream::iter(things).map(work).buffered(AT_ONCE).collect().await
}
