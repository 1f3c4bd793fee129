//! What a function's role may do: identity policies, as IAM evaluates them.

use serde_json::Value;

/// The statements of a role.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy(Vec<Statement>);

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// One key of a request that must have one of the values.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    key: String,
    wildcards: bool,
    values: Vec<String>,
}

/// What a call wants to do to what.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// E.g. `sqs:SendMessage`.
    pub(crate) action: String,
    /// An ARN.
    pub(crate) resource: String,
    /// Condition keys of the request, such as `ses:FromAddress`.
    pub(crate) context: Vec<(&'static str, String)>,
}

impl Policy {
    /// Adds the statements of a policy document.
    ///
    /// # Errors
    /// Elements that are not evaluated here, so that none is silently ignored.
    pub(crate) fn add(&mut self, document: &Value) -> Result<(), String> {
        let statements = match document.get("Statement") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err("a policy needs Statement".to_owned()),
        };
        for statement in statements {
            for element in ["NotAction", "NotResource"] {
                if statement.get(element).is_some() {
                    return Err(format!("{element} in a policy statement is not supported"));
                }
            }
            self.0.push(Statement {
                allow: statement.get("Effect").and_then(Value::as_str) == Some("Allow"),
                actions: texts(statement, "Action")?,
                resources: texts(statement, "Resource")?,
                conditions: conditions(statement.get("Condition"))?,
            });
        }
        Ok(())
    }

    /// Adds what one of AWS's own policies allows of what is checked here.
    pub(crate) fn add_managed(&mut self, name: &str) {
        let actions: &[&str] = match name {
            "AWSLambdaSQSQueueExecutionRole" => &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            "AWSLambdaDynamoDBExecutionRole" => {
                &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
            }
            _ => return,
        };
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        self.0.push(Statement { allow: true, actions, resources: vec!["*".to_owned()], conditions: Vec::new() });
    }

    /// Whether the call is allowed.
    pub(crate) fn allows(&self, wanted: &Wanted) -> bool {
        let mut allowed = false;
        for statement in self.0.iter().filter(|statement| statement.concerns(wanted)) {
            if !statement.allow {
                return false;
            }
            allowed = true;
        }
        allowed
    }

    /// The SES identities that statements let mail be sent from: whoever deploys has verified them.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &str> {
        let resources = self.0.iter().filter(|statement| statement.allow).flat_map(|statement| &statement.resources);
        resources.filter_map(|resource| Some(resource.split_once(":identity/")?.1))
    }
}

impl Statement {
    fn concerns(&self, wanted: &Wanted) -> bool {
        // Actions do not mind case, resources do.
        self.actions.iter().any(|pattern| like(pattern, &wanted.action, true))
            && self.resources.iter().any(|pattern| like(pattern, &wanted.resource, false))
            && self.conditions.iter().all(|condition| condition.holds(&wanted.context))
    }
}

impl Condition {
    /// A key that the request does not have fits no value.
    fn holds(&self, context: &[(&'static str, String)]) -> bool {
        let fits = |value: &str| match self.wildcards {
            true => self.values.iter().any(|pattern| like(pattern, value, false)),
            false => self.values.iter().any(|wanted| wanted == value),
        };
        context.iter().any(|(key, value)| key.eq_ignore_ascii_case(&self.key) && fits(value))
    }
}

fn conditions(block: Option<&Value>) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (operator, keys) in block.and_then(Value::as_object).into_iter().flatten() {
        let wildcards = match operator.as_str() {
            "StringEquals" => false,
            "StringLike" => true,
            other => return Err(format!("condition {other} in a policy statement is not supported")),
        };
        for key in keys.as_object().into_iter().flatten().map(|(key, _)| key) {
            conditions.push(Condition { key: key.clone(), wildcards, values: texts(keys, key)? });
        }
    }
    Ok(conditions)
}

fn texts(statement: &Value, element: &str) -> Result<Vec<String>, String> {
    let text =
        |value: &Value| value.as_str().map(str::to_owned).ok_or(format!("{element} of a statement is not a text"));
    match statement.get(element) {
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
        None => Err(format!("a policy statement needs {element}")),
    }
}

/// IAM's wildcards: `*` for any run of characters, `?` for one.
fn like(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |a: u8, b: u8| if ignore_case { a.eq_ignore_ascii_case(&b) } else { a == b };
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || same(pattern[p], text[t])) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    impl Policy {
        fn lets(&self, action: &str, resource: &str) -> bool {
            self.allows(&Wanted { action: action.to_owned(), resource: resource.to_owned(), context: Vec::new() })
        }
    }

    fn policy(statements: Value) -> Policy {
        let mut policy = Policy::default();
        policy.add(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap();
        policy
    }

    #[test]
    fn an_action_must_be_allowed_on_its_resource() {
        let policy = policy(json!([
            {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Batch*"], "Resource": "arn:t/a"},
            {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": ["arn:t/a/index/*"]},
        ]));
        assert!(policy.lets("dynamodb:GetItem", "arn:t/a"));
        assert!(policy.lets("dynamodb:batchGetItem", "arn:t/a"));
        assert!(policy.lets("dynamodb:Query", "arn:t/a/index/i"));
        assert!(!policy.lets("dynamodb:Query", "arn:t/a"));
        assert!(!policy.lets("dynamodb:GetItem", "arn:t/ab"));
        assert!(!policy.lets("dynamodb:PutItem", "arn:t/a"));
    }

    #[test]
    fn a_deny_wins() {
        let policy = policy(json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "sqs:Send*", "Resource": "arn:q"},
        ]));
        assert!(!policy.lets("sqs:SendMessage", "arn:q"));
        assert!(policy.lets("sqs:SendMessage", "arn:r"));
    }

    #[test]
    fn a_condition_must_hold() {
        let policy = policy(json!([{
            "Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*",
            "Condition": {"StringEquals": {"ses:FromAddress": "shop@example.com"}},
        }]));
        let send = |from: &str| Wanted {
            action: "ses:SendEmail".to_owned(),
            resource: "arn".to_owned(),
            context: vec![("ses:FromAddress", from.to_owned())],
        };
        assert!(policy.allows(&send("shop@example.com")));
        assert!(!policy.allows(&send("other@example.com")));
        assert!(!policy.lets("ses:SendEmail", "arn"));
    }

    #[test]
    fn identities_are_those_mail_may_be_sent_from() {
        let policy = policy(json!([{
            "Effect": "Allow", "Action": "ses:SendEmail",
            "Resource": ["arn:aws:ses:r:a:identity/shop@example.com", "arn:aws:ses:r:a:configuration-set/s"],
        }]));
        assert!(policy.identities().eq(["shop@example.com"]));
    }

    #[test]
    fn what_is_not_evaluated_is_refused() {
        let document = json!({"Statement": [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]});
        assert!(Policy::default().add(&document).is_err());
    }
}
