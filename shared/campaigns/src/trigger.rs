use domain::{Change, Code, ContainerChange, EventKind, ProductNews, StatusSet};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What sets a campaign off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Trigger {
    /// An order is seen for the first time.
    OrderCreated,
    /// One of an order's statuses changes.
    OrderStatusChanged {
        /// In which of the three sets.
        set: StatusSet,
        /// From this status only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Code>,
        /// To this status only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Code>,
    },
    /// The status of one of an order's lines changes.
    OrderLineStatusChanged {
        /// From this status only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Code>,
        /// To this status only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Code>,
    },
    /// What was ordered is no longer the same.
    OrderLinesChanged,
    /// What is in a container changes.
    ContainerChanged {
        /// Which container.
        container: Code,
        /// This only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<ContainerChange>,
    },
    /// An event of this name is taken in.
    EventReceived {
        /// The event's name.
        name: Code,
        /// From a site or app only, or from elsewhere only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<EventKind>,
    },
    /// The customer comes into a segment.
    SegmentEntered {
        /// Which.
        segment: Code,
    },
    /// The customer is in a segment no more.
    SegmentLeft {
        /// Which.
        segment: Code,
    },
    /// Somebody is to confirm that they agree to be written to.
    ConsentRequested,
    /// Something happens to a product that concerns the customer.
    ProductChanged {
        /// What.
        what: ProductNews,
        /// Whom it concerns.
        whom: Whom,
    },
}

/// Whom it concerns what happens to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Who viewed it, at most so long before.
    ViewedWithin(SignedDuration),
    /// Who holds it in this container.
    Holding(Code),
}

impl Trigger {
    /// Whether this change sets it off.
    #[must_use]
    pub fn is_set_off_by(&self, change: &Change) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, is: Option<&T>) -> bool {
            wanted.is_none() || wanted == is
        }
        match (self, change) {
            (Self::OrderCreated, Change::OrderCreated { .. })
            | (Self::ConsentRequested, Change::ConsentRequested { .. })
            | (Self::OrderLinesChanged, Change::OrderLinesChanged { .. }) => true,
            (
                Self::OrderStatusChanged { set, from, to },
                Change::OrderStatusChanged { set: in_set, from: was, to: is, .. },
            ) => set == in_set && fits(from.as_ref(), was.as_ref()) && fits(to.as_ref(), Some(is)),
            (Self::OrderLineStatusChanged { from, to }, Change::OrderLineStatusChanged { from: was, to: is, .. }) => {
                fits(from.as_ref(), was.as_ref()) && fits(to.as_ref(), Some(is))
            }
            (
                Self::ContainerChanged { container, what },
                Change::ContainerChanged { container: of, what: happened, .. },
            ) => container == of && fits(what.as_ref(), Some(happened)),
            (Self::EventReceived { name, kind }, Change::EventReceived { name: happened, kind: of_kind, .. }) => {
                name == happened && fits(kind.as_ref(), Some(of_kind))
            }
            // That it fell is a change of the price, too.
            (Self::ProductChanged { what, .. }, Change::ProductChanged { what: happened, .. }) => {
                what == happened || (*what, *happened) == (ProductNews::PriceChanged, ProductNews::PriceDropped)
            }
            (Self::SegmentEntered { segment }, Change::SegmentEntered { segment: of, .. })
            | (Self::SegmentLeft { segment }, Change::SegmentLeft { segment: of, .. }) => segment == of,
            _ => false,
        }
    }

    /// The segment that it is about, if it is about one.
    #[must_use]
    pub fn segment(&self) -> Option<&Code> {
        match self {
            Self::SegmentEntered { segment } | Self::SegmentLeft { segment } => Some(segment),
            _ => None,
        }
    }

    /// Whether it is about an order.
    #[must_use]
    pub fn is_about_an_order(&self) -> bool {
        matches!(
            self,
            Self::OrderCreated
                | Self::OrderStatusChanged { .. }
                | Self::OrderLineStatusChanged { .. }
                | Self::OrderLinesChanged
        )
    }

    /// Whom it concerns, if it is about a product. Of every other change it is known
    /// to whom it happened.
    #[must_use]
    pub fn whom(&self) -> Option<&Whom> {
        match self {
            Self::ProductChanged { whom, .. } => Some(whom),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ProductId;
    use jiff::Timestamp;

    #[test]
    fn a_price_that_fell_sets_off_what_waits_for_any_price_and_no_other_does_what_waits_for_a_drop() {
        let trigger = |what| Trigger::ProductChanged { what, whom: Whom::Holding(Code::parse("wishlist").unwrap()) };
        let product_id = || ProductId::parse("mug").unwrap();
        let change = |what| Change::ProductChanged {
            product_id: product_id(),
            what,
            from: None,
            to: None,
            at: Timestamp::UNIX_EPOCH,
        };
        for wanted in ProductNews::ALL {
            for happened in ProductNews::ALL {
                let fell = (wanted, happened) == (ProductNews::PriceChanged, ProductNews::PriceDropped);
                let sets_off = trigger(wanted).is_set_off_by(&change(happened));
                assert_eq!(sets_off, fell || wanted == happened, "{wanted:?} {happened:?}");
            }
            assert!(!Trigger::OrderCreated.is_set_off_by(&change(wanted)));
        }
    }
}
