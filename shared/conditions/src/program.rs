//! Conditions made ready: every path that any of them names has a place, so that a
//! customer is read once for all of them and a path is never looked up again.

use std::collections::{BTreeSet, HashMap};

use crate::condition::{Aggregate, Condition, Function, Moving, Node, Operand, Test, Window, Zone};
use crate::field::{Collection, Field, Root};
use crate::needs::{Needs, Reach};
use crate::value::{Kind, Scalar};

/// How deep segments may stand in segments.
const SEGMENTS_DEEP: usize = 16;

/// For how many segments a condition may stand, those within segments included: three in
/// each of sixteen would be millions.
const SEGMENTS_MOST: usize = 1000;

/// How many different fields conditions may ask for: of each thing that is gone through,
/// each takes room.
const PLACES_MOST: usize = 1000;

/// Conditions that are evaluated together, of one customer at a time.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(crate) layout: Layout,
    pub(crate) conditions: Vec<Ready>,
    needs: Vec<Needs>,
    is_whole: bool,
}

/// What is read of a customer, and where it is put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Paths from the roots of which there is one.
    pub(crate) single: Vec<Field>,
    /// Of the things of each collection, paths behind the root.
    pub(crate) tables: [Vec<String>; Collection::ALL.len()],
    pub(crate) audiences: Vec<String>,
}

/// A node with its places.
#[derive(Clone, Debug)]
pub(crate) enum Ready {
    /// With whether any of them is timed.
    All(Vec<Ready>, bool),
    Any(Vec<Ready>, bool),
    Not(Box<Ready>),
    Field(Box<ReadyField>),
    Aggregate(Box<ReadyAggregate>),
    /// Its place among the audiences, and the leaf.
    Audience(usize, Node),
    /// A segment that there is not.
    Never(Node),
}

#[derive(Clone, Debug)]
pub(crate) struct ReadyField {
    pub(crate) place: Place,
    pub(crate) test: Test,
    pub(crate) timed: bool,
    /// As it was written.
    pub(crate) leaf: Node,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// There is one.
    Single(usize),
    /// Of the thing that is looked at.
    Thing(usize),
    /// Of the order of the line that is looked at.
    Order(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct ReadyAggregate {
    pub(crate) function: Function,
    pub(crate) over: Collection,
    pub(crate) place: Option<usize>,
    pub(crate) filter: Option<Ready>,
    pub(crate) window: Option<ReadyWindow>,
    /// How far back things may be in the window, now or later.
    pub(crate) reach: Reach,
    pub(crate) test: Test,
    /// Whether it is within a filter over orders, and over the lines of one.
    pub(crate) of_one_order: bool,
    pub(crate) timed: bool,
    pub(crate) leaf: Node,
}

#[derive(Clone, Debug)]
pub(crate) enum ReadyWindow {
    Last(jiff::SignedDuration),
    Between { from: Option<Operand>, to: Option<Operand> },
    Since { first: bool, over: Collection, filter: Option<Ready> },
}

impl Program {
    /// Makes conditions ready. `segment` gives the condition of a segment by its code;
    /// of one that it does not give, see [`Self::is_whole`].
    #[must_use]
    pub fn new<'c>(
        conditions: impl IntoIterator<Item = &'c Condition>,
        segment: impl Fn(&str) -> Option<&'c Condition>,
    ) -> Self {
        let mut maker = Maker {
            layout: Layout::default(),
            places: HashMap::new(),
            segment: &segment,
            needs: Needs::default(),
            deep: 0,
            segments: 0,
            is_whole: true,
        };
        let (mut ready, mut needs) = (Vec::new(), Vec::new());
        for condition in conditions {
            maker.segments = 0;
            ready.push(maker.node(&condition.0, None));
            needs.push(std::mem::take(&mut maker.needs));
        }
        let is_whole = maker.is_whole && maker.places.len() <= PLACES_MOST;
        Self { layout: maker.layout, conditions: ready, needs, is_whole }
    }

    /// Whether it says what its conditions say: every segment that they name is there, and
    /// they are not too many or one within the other too deep, nor do they ask for more
    /// fields than a customer could be read for. Of one that is not, no verdict counts.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What its conditions together can depend on.
    #[must_use]
    pub fn all_needs(&self) -> Needs {
        let mut all = Needs::default();
        self.needs.iter().for_each(|needs| all.join(needs));
        all
    }

    /// What each condition can depend on, in their order.
    #[must_use]
    pub fn needs(&self) -> &[Needs] {
        &self.needs
    }

    /// How many conditions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.conditions.len()
    }

    /// Whether there is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }
}

struct Maker<'m, S> {
    layout: Layout,
    /// Where each path stands, by what it is a path of.
    places: HashMap<(Option<Collection>, String), usize>,
    segment: &'m S,
    needs: Needs,
    is_whole: bool,
    deep: usize,
    segments: usize,
}

impl<'c, S: Fn(&str) -> Option<&'c Condition>> Maker<'_, S> {
    fn node(&mut self, node: &Node, within: Option<Collection>) -> Ready {
        match node {
            Node::All(nodes) => Ready::all(nodes.iter().map(|node| self.node(node, within)).collect()),
            Node::Any(nodes) => {
                let nodes: Vec<Ready> = nodes.iter().map(|node| self.node(node, within)).collect();
                let timed = nodes.iter().any(Ready::is_timed);
                Ready::Any(nodes, timed)
            }
            Node::Not(inner) => Ready::Not(Box::new(self.node(inner, within))),
            Node::Audience(code) => {
                self.needs.audiences.insert(code.clone());
                let audiences = &mut self.layout.audiences;
                let known = audiences.iter().position(|known| known == code);
                let place = known.unwrap_or_else(|| {
                    audiences.push(code.clone());
                    audiences.len() - 1
                });
                Ready::Audience(place, node.clone())
            }
            Node::Segment(code) => match (self.segment)(code) {
                Some(condition) if self.deep < SEGMENTS_DEEP && self.segments < SEGMENTS_MOST => {
                    self.deep += 1;
                    self.segments += 1;
                    let inner = self.node(&condition.0, None);
                    self.deep -= 1;
                    inner
                }
                _ => {
                    self.is_whole = false;
                    Ready::Never(node.clone())
                }
            },
            Node::Field(field, test) => {
                let (place, timed) = (self.place(field, within), is_timed(test));
                self.needs.clock |= timed;
                self.needs.profile |= test.is_by_customers_zone();
                Ready::Field(Box::new(ReadyField { place, test: test.clone(), timed, leaf: node.clone() }))
            }
            Node::Aggregate(aggregate) => Ready::Aggregate(Box::new(self.aggregate(aggregate, within, node))),
        }
    }

    fn place(&mut self, field: &Field, within: Option<Collection>) -> Place {
        match within {
            Some(over) if over.root() == field.root() => Place::Thing(self.place_in(over, field.rest())),
            Some(Collection::Lines) if field.root() == Root::Order => {
                Place::Order(self.place_in(Collection::Orders, field.rest()))
            }
            _ => {
                self.needs.profile |= field.root() == Root::Customer;
                let single = &mut self.layout.single;
                Place::Single(*self.places.entry((None, field.path().to_owned())).or_insert_with(|| {
                    single.push(field.clone());
                    single.len() - 1
                }))
            }
        }
    }

    fn place_in(&mut self, over: Collection, path: &str) -> usize {
        let paths = &mut self.layout.tables[over as usize];
        *self.places.entry((Some(over), path.to_owned())).or_insert_with(|| {
            paths.push(path.to_owned());
            paths.len() - 1
        })
    }

    fn aggregate(&mut self, aggregate: &Aggregate, within: Option<Collection>, leaf: &Node) -> ReadyAggregate {
        let Aggregate { function, over, field, filter, window, test } = aggregate;
        let reach = Reach::of(window.as_ref());
        self.goes_through(*over, filter.as_ref(), reach);
        let place = field.as_ref().map(|field| self.place_in(*over, field.rest()));
        let ready_filter = self.filter(*over, filter.as_ref(), within.is_none());
        let window = window.as_ref().map(|window| match window {
            Window::Last(length) => ReadyWindow::Last(length.length),
            Window::Between { from, to } => ReadyWindow::Between { from: from.clone(), to: to.clone() },
            Window::Since(since) => {
                self.goes_through(since.over, since.filter.as_ref(), Reach::ALL);
                let filter = self.filter(since.over, since.filter.as_ref(), true);
                ReadyWindow::Since { first: since.first, over: since.over, filter }
            }
        });
        let timed = is_timed(test)
            || ready_filter.as_ref().is_some_and(Ready::is_timed)
            || match &window {
                None => false,
                Some(ReadyWindow::Last(_)) => true,
                Some(ReadyWindow::Between { from, to }) => from.iter().chain(to).any(is_moving),
                Some(ReadyWindow::Since { filter, .. }) => filter.as_ref().is_some_and(Ready::is_timed),
            };
        self.needs.clock |= timed;
        self.needs.profile |= test.is_by_customers_zone()
            || matches!(&window, Some(ReadyWindow::Between { from, to })
                if from.iter().chain(to).any(Operand::is_by_customers_zone));
        ReadyAggregate {
            function: *function,
            over: *over,
            place,
            filter: ready_filter,
            window,
            reach,
            test: test.clone(),
            of_one_order: within == Some(Collection::Orders) && *over == Collection::Lines,
            timed,
            leaf: leaf.clone(),
        }
    }

    /// The filter with what goes without saying: an order that its statuses keep out of
    /// analytics does not count, unless the filter itself asks for statuses.
    fn filter(&mut self, over: Collection, filter: Option<&Node>, of_all_orders: bool) -> Option<Ready> {
        let written = filter.map(|filter| self.node(filter, Some(over)));
        let of_orders = matches!(over, Collection::Orders | Collection::Lines) && of_all_orders;
        if !of_orders || filter.is_some_and(asks_for_statuses) {
            return written;
        }
        let Ok(field) = Field::parse(IN_ANALYTICS, &[Root::Order]) else { return written };
        let counts = Node::Field(field, Test::IsNot(Operand::Fixed(false.into(), Scalar::truth(false))));
        let counts = self.node(&counts, Some(over));
        Some(match written {
            Some(written) => Ready::all(vec![counts, written]),
            None => counts,
        })
    }

    fn goes_through(&mut self, over: Collection, filter: Option<&Node>, reach: Reach) {
        if over == Collection::Events {
            // Once it may be any, it stays that.
            let known = self.needs.events.take();
            self.needs.events = known.zip(filter.and_then(event_names)).map(|(known, named)| &known | &named);
        }
        self.needs.go_back(over, reach);
        self.needs.collections.insert(over);
        if over == Collection::Lines {
            self.needs.collections.insert(Collection::Orders);
        }
    }
}

/// Where an order says whether its statuses let it count.
const IN_ANALYTICS: &str = "order.in_analytics";

fn asks_for_statuses(filter: &Node) -> bool {
    let mut asks = false;
    filter.visit(&mut |node| {
        if let Node::Field(field, _) = node {
            asks |= field.path().starts_with("order.status") || field.path() == IN_ANALYTICS;
        }
    });
    asks
}

/// The names of the events that can pass a filter, if it says so outright.
fn event_names(filter: &Node) -> Option<BTreeSet<String>> {
    let named = |operand: &Operand| match operand {
        Operand::Fixed(_, scalar) if matches!(scalar.kind, Kind::Text) => Some(scalar.text.to_string()),
        _ => None,
    };
    match filter {
        Node::Field(field, Test::Is(operand)) if field.path() == "event.name" => Some([named(operand)?].into()),
        Node::Field(field, Test::In(operands)) if field.path() == "event.name" => operands.iter().map(named).collect(),
        Node::All(nodes) => nodes.iter().find_map(event_names),
        Node::Any(nodes) => {
            let names: Option<Vec<_>> = nodes.iter().map(event_names).collect();
            Some(names?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

impl Ready {
    fn all(nodes: Vec<Ready>) -> Self {
        let timed = nodes.iter().any(Self::is_timed);
        Self::All(nodes, timed)
    }

    /// Whether it may turn by the passing of time alone.
    pub(crate) fn is_timed(&self) -> bool {
        match self {
            Self::All(_, timed) | Self::Any(_, timed) => *timed,
            Self::Not(node) => node.is_timed(),
            Self::Field(field) => field.timed,
            Self::Aggregate(aggregate) => aggregate.timed,
            Self::Audience(..) | Self::Never(_) => false,
        }
    }
}

impl Test {
    /// Whether it reads the customer's time zone, which is in the profile.
    fn is_by_customers_zone(&self) -> bool {
        match self {
            Test::Is(operand) | Test::IsNot(operand) | Test::Order(_, operand) => operand.is_by_customers_zone(),
            Test::Between(from, to) => from.is_by_customers_zone() || to.is_by_customers_zone(),
            Test::Anniversary(anniversary) => anniversary.zone == Zone::Customer,
            _ => false,
        }
    }
}

impl Operand {
    fn is_by_customers_zone(&self) -> bool {
        matches!(self, Operand::Moving(Moving::Start { zone: Zone::Customer, .. }))
    }
}

fn is_moving(operand: &Operand) -> bool {
    matches!(operand, Operand::Moving(Moving::Ago(_) | Moving::Ahead(_) | Moving::Start { .. }))
}

fn is_timed(test: &Test) -> bool {
    match test {
        Test::Is(operand) | Test::IsNot(operand) | Test::Order(_, operand) => is_moving(operand),
        Test::Between(from, to) => is_moving(from) || is_moving(to),
        Test::Anniversary(_) => true,
        Test::In(_) | Test::Contains(_) | Test::StartsWith(_) | Test::EndsWith(_) | Test::Matches(_) | Test::Set(_) => {
            false
        }
    }
}
