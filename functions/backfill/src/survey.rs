use campaigns::{Survey, SurveyTally};
use conditions::{At, Program};
use facts::History;
use futures::{StreamExt, TryStreamExt};
use store::{Kinds, Scanned};

use crate::task::Task;

/// At how many customers is looked at the same time: of some messages have to be read.
const AT_ONCE: usize = 8;

/// Counts who meets a condition, and what they are worth.
pub(crate) struct SurveyTask<'b> {
    history: &'b History,
    program: Program,
    at: At,
}

impl<'b> SurveyTask<'b> {
    pub(crate) async fn new(history: &'b History, survey: &Survey) -> anyhow::Result<Self> {
        let program = survey.program();
        anyhow::ensure!(program.is_whole(), "a survey asks what cannot be answered");
        // As of when it began, however long it takes and whoever is at it.
        Ok(Self { history, program, at: history.at(survey.begun_at).await? })
    }
}

impl Task for SurveyTask<'_> {
    type Tally = SurveyTally;

    fn kinds(&self) -> Kinds {
        Kinds { orders: true, ..facts::kinds(&self.program.all_needs(), self.at.now) }
    }

    /// One that was stopped is gone, and its worker is overtaken.
    async fn is_wanted(&self) -> anyhow::Result<bool> {
        Ok(true)
    }

    async fn look_at(&self, customers: &[Scanned], tally: &mut SurveyTally) -> anyhow::Result<()> {
        let known = customers.iter().filter(|scanned| scanned.customer.is_some());
        let looked = futures::stream::iter(known).map(async |scanned| {
            let state = self.history.seen(&self.program, scanned, &self.at).await?;
            let orders = self.history.counting(scanned, &self.at).await?;
            anyhow::Ok((self.program.holds(0, &state, &self.at), orders))
        });
        let looked: Vec<_> = looked.buffered(AT_ONCE).try_collect().await?;
        for (matches, orders) in looked {
            tally.add(matches, orders.into_iter());
        }
        Ok(())
    }

    async fn ended(&self) -> anyhow::Result<()> {
        Ok(())
    }
}
