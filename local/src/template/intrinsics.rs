//! CloudFormation's functions and references, resolved to local values.

use super::Stack;
use crate::names::{self, ACCOUNT, REGION};
use serde_json::{Map, Value};

impl Stack {
    /// The value with every function and reference in it carried out; `None` for `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value) -> Result<Option<Value>, String> {
        match value {
            Value::Object(map) => match function(map) {
                Some((name, argument)) => self.call(name, argument),
                None => {
                    let mut resolved = Map::new();
                    for (key, value) in map {
                        if let Some(value) = self.resolve(value)? {
                            resolved.insert(key.clone(), value);
                        }
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.resolve(item).transpose());
                Ok(Some(Value::Array(items.collect::<Result<_, _>>()?)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    /// Whether the condition of this name holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.conditions.get(name).ok_or(format!("there is no condition {name}"))?;
        self.holds(condition)
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>, String> {
        Ok(Some(match name {
            "Ref" => return self.reference(word(argument)?),
            "Fn::GetAtt" => Value::String(match argument {
                Value::Array(parts) if parts.len() == 2 => self.attribute(word(&parts[0])?, word(&parts[1])?)?,
                other => {
                    let (resource, attribute) = word(other)?.split_once('.').ok_or("GetAtt needs an attribute")?;
                    self.attribute(resource, attribute)?
                }
            }),
            "Fn::Sub" => Value::String(self.substitute(argument)?),
            "Fn::Join" => {
                let (separator, items) = pair(argument)?;
                Value::String(self.texts(items)?.join(word(separator)?))
            }
            "Fn::Split" => {
                let (separator, text) = pair(argument)?;
                let text = self.text(text)?;
                text.split(word(separator)?).collect()
            }
            "Fn::Select" => {
                let (index, items) = pair(argument)?;
                let index: usize = self.text(index)?.parse().map_err(|_| "Select needs an index")?;
                Value::String(self.texts(items)?.into_iter().nth(index).ok_or("Select is beyond the list")?)
            }
            "Fn::If" => {
                let parts = argument.as_array().filter(|parts| parts.len() == 3).ok_or("If needs three parts")?;
                return self.resolve(if self.condition(word(&parts[0])?)? { &parts[1] } else { &parts[2] });
            }
            other => return Err(format!("{other} is not supported")),
        }))
    }

    fn holds(&self, condition: &Value) -> Result<bool, String> {
        let map = condition.as_object().ok_or("a condition is a function")?;
        let (name, argument) = function(map).ok_or("a condition is a function")?;
        let all = || argument.as_array().ok_or(format!("{name} takes a list"));
        match name {
            "Condition" => self.condition(word(argument)?),
            "Fn::Equals" => {
                let (left, right) = pair(argument)?;
                Ok(self.text(left)? == self.text(right)?)
            }
            "Fn::Not" => Ok(!self.holds(all()?.first().ok_or("Not takes a condition")?)?),
            "Fn::And" => all()?.iter().try_fold(true, |held, one| Ok(held & self.holds(one)?)),
            "Fn::Or" => all()?.iter().try_fold(false, |held, one| Ok(held | self.holds(one)?)),
            other => Err(format!("{other} is not a condition")),
        }
    }

    fn reference(&self, name: &str) -> Result<Option<Value>, String> {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackName" => self.name.clone(),
            "AWS::StackId" => names::arn("cloudformation", &format!("stack/{}/local", self.name)),
            name => match self.parameters.get(name) {
                Some(value) => return Ok(Some(value.clone())),
                None => self.physical(name)?,
            },
        };
        Ok(Some(Value::String(text)))
    }

    /// What `Ref` gives for a resource.
    fn physical(&self, logical_id: &str) -> Result<String, String> {
        let kind = self.kind(logical_id)?;
        Ok(match kind {
            "AWS::SQS::Queue" => names::queue_url(&self.queue_name(logical_id)?),
            "AWS::SNS::Topic" => names::arn("sns", &format!("{}-{logical_id}", self.name)),
            "AWS::DynamoDB::Table" => self.named(logical_id, "TableName")?,
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => self.named(logical_id, "FunctionName")?,
            "AWS::SES::ConfigurationSet" | "AWS::Events::Rule" | "AWS::Scheduler::Schedule" => {
                self.named(logical_id, "Name")?
            }
            "AWS::SES::EmailIdentity" => self.named(logical_id, "EmailIdentity")?,
            "AWS::Logs::LogGroup" => self.named(logical_id, "LogGroupName")?,
            "AWS::IAM::Role" => self.named(logical_id, "RoleName")?,
            _ => logical_id.to_owned(),
        })
    }

    pub(super) fn queue_name(&self, logical_id: &str) -> Result<String, String> {
        self.named(logical_id, "QueueName")
    }

    /// The name a property gives, or the one CloudFormation would make up.
    pub(super) fn named(&self, logical_id: &str, property: &str) -> Result<String, String> {
        match self.property(logical_id, property) {
            Some(value) => self.text(value),
            None => Ok(format!("{}-{logical_id}", self.name)),
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<String, String> {
        let kind = self.kind(logical_id)?;
        let name = || self.physical(logical_id);
        Ok(match (kind, attribute) {
            ("AWS::SQS::Queue", "Arn") => names::arn("sqs", &self.queue_name(logical_id)?),
            ("AWS::SQS::Queue", "QueueName") => self.queue_name(logical_id)?,
            ("AWS::SQS::Queue", "QueueUrl") => name()?,
            ("AWS::DynamoDB::Table", "Arn") => names::table_arn(&name()?),
            ("AWS::DynamoDB::Table", "StreamArn") => names::stream_arn(&name()?),
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
                names::arn("lambda", &format!("function:{}", name()?))
            }
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => self.api_url.clone(),
            ("AWS::ApiGatewayV2::Api", "ApiId") => name()?,
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{}", name()?),
            ("AWS::Logs::LogGroup", "Arn") => names::arn("logs", &format!("log-group:{}:*", name()?)),
            (kind, "Arn") => {
                let service = kind.split("::").nth(1).unwrap_or("aws").to_lowercase();
                names::arn(&service, &name()?)
            }
            _ => name()?,
        })
    }

    fn substitute(&self, argument: &Value) -> Result<String, String> {
        let (pattern, extra) = match argument {
            Value::Array(parts) if parts.len() == 2 => (word(&parts[0])?, parts[1].as_object()),
            other => (word(other)?, None),
        };
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let (name, after) = after.split_once('}').ok_or("Sub has ${ without }")?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = extra.and_then(|extra| extra.get(name)) {
                text.push_str(&self.text(value)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                text.push_str(&self.attribute(resource, attribute)?);
            } else {
                let value = self.reference(name)?.unwrap_or(Value::Null);
                text.push_str(&plain(&value).ok_or(format!("{name} in Sub is not a text"))?);
            }
        }
        text.push_str(rest);
        Ok(self.local_url(text))
    }

    /// The public address of an API, which on this machine is another.
    fn local_url(&self, text: String) -> String {
        let Some(at) = text.find(".execute-api.") else { return text };
        let start = text[..at].rfind("https://");
        let suffix = format!(".execute-api.{REGION}.amazonaws.com");
        match start {
            Some(start) if text[at..].starts_with(&suffix) => {
                format!("{}{}{}", &text[..start], self.api_url, &text[at + suffix.len()..])
            }
            _ => text,
        }
    }

    /// The value resolved, as a text.
    pub(super) fn text(&self, value: &Value) -> Result<String, String> {
        let resolved = self.resolve(value)?.unwrap_or(Value::Null);
        plain(&resolved).ok_or(format!("{resolved} is not a text"))
    }

    fn texts(&self, value: &Value) -> Result<Vec<String>, String> {
        match self.resolve(value)? {
            Some(Value::Array(items)) => {
                items.iter().map(|item| plain(item).ok_or(format!("{item} is not a text"))).collect()
            }
            Some(Value::String(text)) => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
            _ => Err("a list is wanted".to_owned()),
        }
    }
}

/// A scalar as CloudFormation writes it into a text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

fn function(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    let known = name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    known.then_some((name, argument))
}

fn word(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or(format!("{value} is not a plain text"))
}

fn pair(value: &Value) -> Result<(&Value, &Value), String> {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second]) => Ok((first, second)),
        _ => Err("a pair is wanted".to_owned()),
    }
}
