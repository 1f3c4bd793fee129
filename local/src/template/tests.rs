//! A template with everything that is understood, and what is said of others.

use super::{Description, describe};
use crate::due::Due;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  From: { Type: String, Default: shop@example.com }
  Seconds: { Type: Number, Default: 20 }
Conditions:
  Never: !Equals [!Ref From, ""]
Globals:
  Function:
    Timeout: 10
    Environment: { Variables: { COMMON: yes please } }
Resources:
  WorkQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 120
      RedrivePolicy: { deadLetterTargetArn: !GetAtt WorkDeadLetters.Arn, maxReceiveCount: 5 }
  WorkDeadLetters: { Type: AWS::SQS::Queue }
  ThingsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Guard:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      AuthorizerType: REQUEST
      AuthorizerPayloadFormatVersion: "2.0"
      EnableSimpleResponses: true
      IdentitySource: [$request.header.Authorization]
      AuthorizerResultTtlInSeconds: 60
      AuthorizerUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${DoWork.Arn}/invocations
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { IntegrationUri: !GetAtt DoWork.Arn, PayloadFormatVersion: "2.0" }
  PutThing:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      RouteKey: PUT /things/{id}
      Target: !Join ["/", [integrations, !Ref Integration]]
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Guard
  DoWork:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub ${AWS::StackName}-do-work
      Timeout: !Ref Seconds
      Environment:
        Variables:
          TABLE: !Ref ThingsTable
          QUEUE: !Ref WorkQueue
          URL: !Sub https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/x
          MAYBE: !If [Never, a, !Ref AWS::NoValue]
      Policies:
        - Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Action: dynamodb:GetItem, Resource: !Sub "${ThingsTable.Arn}" }
            - { Effect: Allow, Action: ["sqs:*"], Resource: "*" }
        - AWSLambdaDynamoDBExecutionRole
      Events:
        Tick: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }
  WorkMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref DoWork
      EventSourceArn: !GetAtt WorkQueue.Arn
      FunctionResponseTypes: [ReportBatchItemFailures]
      ScalingConfig: { MaximumConcurrency: 7 }
  ThingsMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !GetAtt DoWork.Arn
      EventSourceArn: !GetAtt ThingsTable.StreamArn
      StartingPosition: TRIM_HORIZON
      MaximumRetryAttempts: 10
      MaximumRecordAgeInSeconds: -1
      DestinationConfig: { OnFailure: { Destination: !GetAtt WorkDeadLetters.Arn } }
      FilterCriteria: { Filters: [{ Pattern: '{"eventName": ["INSERT"]}' }] }
  Heard:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: { source: [aws.ses] }
      Targets: [{ Id: q, Arn: !GetAtt WorkQueue.Arn }]
  Skipped: { Type: AWS::Unheard::Of, Condition: Never }
  Log: { Type: AWS::Logs::LogGroup }
"#;

fn read(template: &str) -> Result<Description, String> {
    describe(template, &BTreeMap::new(), "stack", "http://127.0.0.1:3000")
}

#[test]
fn a_template_is_resolved_to_local_names() {
    let description = read(TEMPLATE).unwrap();
    let function = &description.functions[0];
    assert_eq!((function.name.as_str(), function.function_name.as_str()), ("do-work", "stack-do-work"));
    assert_eq!((function.timeout, function.memory), (Duration::from_secs(20), 128));
    assert_eq!(
        json!(function.environment),
        json!({
            "COMMON": "yes please",
            "TABLE": "stack-ThingsTable",
            "QUEUE": "https://sqs.us-east-1.amazonaws.com/000000000000/stack-WorkQueue",
            "URL": "http://127.0.0.1:3000/x",
        })
    );
    let queue = description.queues.iter().find(|queue| queue.logical_id == "WorkQueue").unwrap();
    assert_eq!((queue.name.as_str(), queue.visibility), ("work", Duration::from_secs(120)));
    let dead_letters = "arn:aws:sqs:us-east-1:000000000000:stack-WorkDeadLetters";
    assert_eq!(queue.redrive, Some((dead_letters.to_owned(), 5)));
    let table = &description.tables[0];
    assert_eq!((table.name.as_str(), table.ttl_attribute.as_deref()), ("things", Some("expires")));
}

#[test]
fn what_feeds_a_function_is_found() {
    let description = read(TEMPLATE).unwrap();
    let mapping = &description.queue_mappings[0];
    assert_eq!((mapping.batch_size, mapping.max_concurrency, mapping.partial_answers), (10, 7, true));
    let mapping = &description.stream_mappings[0];
    assert_eq!(
        (mapping.table_name.as_str(), mapping.max_retries, mapping.max_age),
        ("stack-ThingsTable", Some(10), None)
    );
    assert_eq!((mapping.batch_size, mapping.filters.len()), (100, 1));
    let route = &description.routes[0];
    assert_eq!(route.function, description.functions[0].arn);
    assert_eq!(route.authorizer.as_ref().unwrap().function, route.function);
    assert_eq!(description.schedules[0].due, Due::Every(Duration::from_secs(60)));
    assert_eq!(description.rules[0].queues.len(), 1);
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_its_place() {
    let check = |from: &str, to: &str, expected: &str| {
        let message = read(&TEMPLATE.replace(from, to)).unwrap_err();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    };
    check("AWS::Logs::LogGroup", "AWS::S3::Bucket", "resource Log: AWS::S3::Bucket is not known here");
    check("!Ref ThingsTable", "!Ref Thing", "resource DoWork: there is no resource or parameter Thing");
    check("rate(1 minute)", "cron(0 * * * *)", "only rate(");
    check("TRIM_HORIZON", "AT_TIMESTAMP", "resource ThingsMapping: StartingPosition");
    check("\"INSERT\"]}", "{\"cidr\": \"x\"}]}", "cidr is not supported");
    check("Default: 20", "NoDefault: 20", "parameter Seconds has no default");
    check("sqs:*", "sqs:Send*", "resource WorkMapping: DoWork may not sqs:ReceiveMessage");
    check("Resources:", "Resources: [", "");
}
