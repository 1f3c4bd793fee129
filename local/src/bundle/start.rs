//! Putting a bundle together.

use super::{Addresses, Bundle, Core, Folder, Options};
use crate::activity::Activity;
use crate::api::Api;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::endpoint::{self, Services};
use crate::events::{self, Events};
use crate::functions::{self, Functions, Launch};
use crate::mappings::{self, Parts, stream::Reader};
use crate::schedules::Running;
use crate::serve::{bind, serve};
use crate::ses::{self, ConfigurationSet, Ses};
use crate::sqs::{Queues, engine};
use crate::store::Store;
use crate::template::{self, Description};
use crate::{names, runner};
use anyhow::Context as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How often streams are trimmed and expired items are looked for.
const TIDY: Duration = Duration::from_secs(5);

pub(super) async fn start(options: Options) -> anyhow::Result<Arc<Bundle>> {
    let (api, api_address) = bind(options.api_port, "the HTTP API").await?;
    let (page, page_address) = bind(options.page_port, "the page").await?;
    let (aws, aws_address) = bind(0, "AWS").await?;
    let api_url = format!("http://{api_address}");
    let description = template::read(&options.template, &options.parameters, &options.stack_name, &api_url)?;
    let folder = Folder::open(options.data.as_deref(), options.fresh)?;
    let clock = Arc::new(Clock::open(folder.clock()).context("cannot keep the clock")?);
    let activity = Arc::new(Activity::default());
    let faults = Arc::default();
    let calls: Arc<Calls> = Arc::default();

    let dynamodb = DynamoDb::open(folder.file("tables.db").as_deref(), &description.tables, Arc::clone(&clock))?;
    let dynamodb = Arc::new(dynamodb);
    let store = Store::open(folder.file("queues.db").as_deref(), engine::SCHEMA)?;
    let queues = Queues::open(store.clone(), &description.queues, Arc::clone(&clock), Arc::clone(&faults)).await?;
    let queues = Arc::new(queues);
    let (bus, items) = Events::new(Arc::clone(&activity));
    let ses = open_ses(&options, &description, &folder, &clock, &bus)?;
    let launch = Launch {
        exe: options.exe.clone().map_or_else(std::env::current_exe, Ok)?,
        bootstraps: options.bootstraps.clone(),
        base_url: format!("http://{aws_address}"),
        clock: folder.clock(),
        logs: folder.file("logs"),
        time: Arc::clone(&clock),
    };
    let functions = Functions::new(&description.functions, launch, options.max_instances, Arc::clone(&activity));
    let functions = Arc::new(functions);
    let http_api = Api::new(&description.routes, Arc::clone(&functions), Arc::clone(&clock))?;
    let stopping = watch::Sender::new(false);
    let parts = Parts {
        clock: Arc::clone(&clock),
        functions: Arc::clone(&functions),
        queues: Arc::clone(&queues),
        dynamodb: Arc::clone(&dynamodb),
        store,
        activity: Arc::clone(&activity),
        calls: Arc::clone(&calls),
        stopping: stopping.subscribe(),
        most_instances: options.max_instances,
        queue_mappings: description.queue_mappings.as_slice().into(),
    };
    let mut readers = Vec::new();
    for mapping in &description.stream_mappings {
        readers.extend(Reader::open(mapping.clone(), &parts).await?);
    }
    let now_ms = clock.now_ms();
    let schedules = description.schedules.iter().map(|schedule| Running::new(schedule.clone(), now_ms)).collect();
    let services = Arc::new(Services {
        dynamodb: Arc::clone(&dynamodb),
        queues: Arc::clone(&queues),
        ses: ses.router(),
        events: bus.clone(),
        functions: Arc::clone(&functions),
        faults: Arc::clone(&faults),
        calls: Arc::clone(&calls),
        activity: Arc::clone(&activity),
    });
    let core = Arc::new(Core {
        description,
        clock,
        activity,
        dynamodb,
        queues,
        functions,
        faults,
        calls,
        readers,
        schedules,
        ses,
        events: bus,
        api: http_api,
        addresses: Addresses { api: api_address, page: page_address, endpoint: aws_address },
        stopping,
        tasks: Mutex::default(),
        walking: tokio::sync::Mutex::default(),
        folder,
    });

    let aws_router = endpoint::router(services).merge(functions::router(Arc::clone(&core.functions)));
    let page_router = runner::runner_router(&Bundle::borrowed(&core))?;
    core.spawn(serve(aws, aws_router));
    core.spawn(serve(page, page_router));
    core.spawn(events::run(core.description.rules.clone(), Arc::clone(&core.queues), items));
    core.spawn(Arc::clone(&core.functions).reap());
    core.spawn(tidy(Arc::clone(&core.dynamodb), core.readers.clone(), streams(&core.description)));
    for reader in &core.readers {
        core.spawn(Arc::clone(reader).run(parts.clone()));
    }
    for mapping in &core.description.queue_mappings {
        core.spawn(mappings::queue::run(mapping.clone(), parts.clone()));
    }
    for schedule in &core.schedules {
        core.spawn(Arc::clone(schedule).run(parts.clone()));
    }
    // Last, so that whoever is let in finds everything there.
    core.spawn(serve(api, core.api.router()));
    Ok(Arc::new(Bundle { core, owner: true }))
}

impl Core {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.keep(tokio::spawn(task).abort_handle());
    }
}

fn open_ses(
    options: &Options,
    description: &Description,
    folder: &Folder,
    clock: &Arc<Clock>,
    bus: &Events,
) -> anyhow::Result<Ses> {
    let (now, bus) = (Arc::clone(clock), bus.clone());
    let mut config = ses::Config::new(Arc::new(move || now.now()), Arc::new(move |event| bus.publish(event)));
    config.path = folder.file("mailbox.db");
    config.identities = identities(options, description).into_iter().collect();
    config.configuration_sets = configuration_sets(description);
    config.max_send_rate = options.max_send_rate;
    config.max_24_hour_send = options.max_24_hour_send;
    config.region = names::REGION.to_owned();
    config.account = names::ACCOUNT.to_owned();
    Ses::open(config).context("cannot open the mailbox")
}

/// An address that a policy lets a function send from has been verified by whoever deploys it.
fn identities(options: &Options, description: &Description) -> BTreeSet<String> {
    let of_policies = description.functions.iter().flat_map(|function| function.policy.identities());
    let in_template = description.ses.iter().filter(|resource| resource.kind == "AWS::SES::EmailIdentity");
    let in_template = in_template.filter_map(|resource| resource.properties["EmailIdentity"].as_str());
    let all = options.identities.iter().map(String::as_str).chain(of_policies).chain(in_template);
    all.map(str::to_owned).collect()
}

fn configuration_sets(description: &Description) -> Vec<ConfigurationSet> {
    let of_kind = |kind: &'static str| description.ses.iter().filter(move |resource| resource.kind == kind);
    let sets = of_kind("AWS::SES::ConfigurationSet").map(|set| {
        let name = match set.properties["Name"].as_str() {
            Some(name) => name.to_owned(),
            None => set.logical_id.clone(),
        };
        let destinations = of_kind("AWS::SES::ConfigurationSetEventDestination").filter(|destination| {
            let to = &destination.properties["EventDestination"];
            destination.properties["ConfigurationSetName"] == name.as_str()
                && to["Enabled"] != false
                && to["EventBridgeDestination"].is_object()
        });
        let types = destinations.flat_map(|destination| {
            let types = destination.properties["EventDestination"]["MatchingEventTypes"].as_array();
            types.into_iter().flatten().filter_map(Value::as_str).map(event_type)
        });
        ConfigurationSet { event_types: types.collect(), name }
    });
    sets.collect()
}

/// CloudFormation writes `renderingFailure` for what the API calls `RENDERING_FAILURE`.
fn event_type(name: &str) -> String {
    let mut words = String::new();
    let mut lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower {
            words.push('_');
        }
        lower = c.is_ascii_lowercase();
        words.push(c.to_ascii_uppercase());
    }
    words
}

/// Names of the tables with a stream.
fn streams(description: &Description) -> Vec<String> {
    let tables = description.tables.iter().filter(|table| table.stream_view_type.is_some());
    tables.map(|table| table.table_name.clone()).collect()
}

/// Drops stream records that everybody has read, and items that have expired.
async fn tidy(dynamodb: Arc<DynamoDb>, readers: Vec<Arc<Reader>>, tables: Vec<String>) {
    let mut rounds = 0_u32;
    loop {
        tokio::time::sleep(TIDY).await;
        for table in &tables {
            let of_table = readers.iter().filter(|reader| &reader.mapping.table_name == table);
            let read = of_table.map(|reader| reader.checkpoint()).min().unwrap_or(i64::MAX);
            dynamodb.trim(table, read).await;
        }
        if rounds.is_multiple_of(12) {
            dynamodb.sweep().await;
        }
        rounds = rounds.wrapping_add(1);
    }
}
