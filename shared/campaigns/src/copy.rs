use domain::Code;
use domain::read::{self, Faults, Reader};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::expected;

/// The work of putting everybody who is in a segment into an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCopy {
    /// Its id.
    pub id: String,
    /// Whose members they are.
    pub segment: Code,
    /// The segment's first edition, so that another one under the same code is told from it.
    pub first: u64,
    /// Where they are put.
    pub audience: Code,
    /// When it began.
    pub begun_at: Timestamp,
    /// About how many members there were then.
    pub members: u64,
}

/// What has come of one part of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyTally {
    /// Behind whom it goes on in the list of members; none is the beginning, or that it is done.
    pub after: Option<String>,
    /// How many were put into the audience, or were in it.
    pub copied: u64,
    /// Whether it went no further, as the segment or the audience was deleted.
    pub stopped: bool,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// How many were copied.
    pub copied: u64,
    /// Whether one of its parts went no further.
    pub stopped: bool,
    /// Which share of the members was gone through, about.
    pub share: Decimal,
    /// When the last part was done; none if they are not all done.
    pub ended_at: Option<Timestamp>,
}

impl SegmentCopy {
    /// Reads the body of `POST /v1/segments/{code}/copy`: the audience.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(body: &Value) -> Result<Code, Faults> {
        let mut reader = Reader::new(body);
        let audience = reader.required("audience", read::parsed(Code::parse));
        reader.finish()?;
        audience.ok_or_else(|| vec![domain::Fault::new("", "could not be read")])
    }

    /// The copy as it goes out over the API.
    #[must_use]
    pub fn show(&self, progress: &CopyProgress, now: Timestamp) -> Value {
        let CopyProgress { copied, stopped, share, ended_at } = *progress;
        let state = match ended_at {
            None => "running",
            Some(_) if stopped => "stopped",
            Some(_) => "done",
        };
        let done_by = ended_at.or_else(|| expected(self.begun_at, now, share));
        json!({
            "id": self.id,
            "segment": self.segment,
            "audience": self.audience,
            "state": state,
            "copied": copied,
            "begun_at": self.begun_at,
            "ended_at": ended_at,
            "progress": { "share": share.normalize().to_string(), "done_by": done_by },
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_copy_is_done_when_every_part_is_and_says_if_it_was_cut_short() {
        let begun_at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let code = |code| Code::parse(code).unwrap();
        let (segment, audience) = (code("riga"), code("vip"));
        let copy = SegmentCopy { id: "c".into(), segment, first: 1, audience, begun_at, members: 9 };
        let show = |progress: CopyProgress| {
            let shown = copy.show(&progress, begun_at + SignedDuration::from_mins(1));
            (shown["state"].clone(), shown["progress"]["done_by"].clone())
        };
        let half = CopyProgress { share: "0.5".parse().unwrap(), copied: 4, ..CopyProgress::default() };
        assert_eq!(show(CopyProgress::default()), (json!("running"), Value::Null));
        assert_eq!(show(CopyProgress { stopped: true, ..half }), (json!("running"), json!("2026-11-22T10:02:00Z")));
        let done = CopyProgress { ended_at: Some(begun_at), ..half };
        assert_eq!(show(done), (json!("done"), json!("2026-11-22T10:00:00Z")));
        assert_eq!(show(CopyProgress { stopped: true, ..done }).0, "stopped");
    }
}
