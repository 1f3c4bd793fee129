use anyhow::bail;
use contracts::{ApiKey, Scope};
use domain::Fault;
use domain::read::{self, Reader};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Definitions, Key};

/// Makes an API key. Its secret is in the answer and nowhere else.
pub(crate) async fn create(definitions: &Definitions, body: &Value, now: Timestamp) -> anyhow::Result<Value> {
    let mut reader = Reader::new(body);
    let name = reader.required("name", read::short);
    let scopes = reader.required("scopes", scopes);
    let (name, scopes) = match (reader.finish(), name, scopes) {
        (Ok(()), Some(name), Some(scopes)) => (name, scopes),
        (Err(faults), ..) => bail!("create_key: {}", said(&faults)),
        _ => bail!("create_key could not be read"),
    };
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    let key = ApiKey::from_random(random);
    definitions.put_key(key.id(), &Key { name, hash: key.hash(), scopes, created_at: now }).await?;
    Ok(json!({ "key": key.reveal() }))
}

fn scopes(value: &Value) -> Result<Vec<String>, String> {
    let known = || Scope::ALL.map(Scope::as_str).join("\", \"");
    let fits =
        |scope: &Value| scope.as_str().is_some_and(|scope| Scope::ALL.iter().any(|known| known.as_str() == scope));
    match value.as_array() {
        Some(scopes) if !scopes.is_empty() && scopes.iter().all(fits) => {
            Ok(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => Err(format!("must be a list of \"{}\"", known())),
    }
}

fn said(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect::<Vec<_>>().join("; ")
}
