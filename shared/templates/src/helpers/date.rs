//! Dates, in the zone and the language of who reads them.

use std::{borrow::Cow, sync::LazyLock};

use jiff::{
    Timestamp, Zoned,
    civil::{Date, Weekday},
    fmt::strtime,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde_json::Value;

use crate::run::Stop;

use super::{
    Answer, Given, failed,
    language::{self, Language},
    required, shown,
};

/// What a date may be asked to look like by name, in the order of a language's patterns.
const STYLES: [&str; 4] = ["short", "medium", "long", "full"];

const STYLE: &str = "long";

/// The database in the binary, never the machine's.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A moment as it is told: an instant, or a day, which is the same day everywhere.
enum When {
    Instant(Timestamp),
    Day(Date),
}

/// `date value style-or-pattern? zone?`
pub(super) fn date<'v>(given: &Given<'v>) -> Answer<'v> {
    let value = required(given, 0)?;
    let pattern = match given.param(1) {
        None => STYLE,
        Some(_) => required(given, 1)?.as_str().unwrap_or(STYLE),
    };
    let language = language::of(given)?;
    let style = STYLES.iter().position(|style| *style == pattern);
    let written = match (when(value)?, style) {
        (When::Instant(instant), style) => {
            let local = instant.to_zoned(zone(given, 2)?);
            match style {
                Some(style) => Ok(styled(local.date(), language.dates[style], language)),
                None => strtime::format(named(pattern, local.date(), language), &local),
            }
        }
        (When::Day(day), Some(style)) => Ok(styled(day, language.dates[style], language)),
        (When::Day(day), None) => strtime::format(named(pattern, day, language), day),
    };
    written
        .map(|text| Cow::Owned(Value::String(text)))
        .map_err(|error| failed(format!("the pattern {pattern:?} does not fit: {error}")))
}

/// `relative value zone?`: how far from now.
pub(super) fn relative<'v>(given: &Given<'v>) -> Answer<'v> {
    let value = required(given, 0)?;
    let zone = zone(given, 1)?;
    let language = language::of(given)?;
    let now = given.data.get("now").and_then(Value::as_str).and_then(|now| now.parse::<Timestamp>().ok());
    let now = now.ok_or_else(|| Stop::Missing("now".to_owned()))?;
    let today = now.to_zoned(zone.clone()).date();
    let day = match when(value)? {
        When::Day(day) => day,
        When::Instant(instant) => {
            let seconds = instant.as_second() - now.as_second();
            let sign = seconds.signum();
            let away = seconds.abs();
            match away {
                ..45 => return Ok(Cow::Owned(Value::from(language.now))),
                45..3570 => return written(language, "minute", sign * rounded(away, 60)),
                3570..86_400 => return written(language, "hour", sign * rounded(away, 3600).min(23)),
                _ => instant.to_zoned(zone).date(),
            }
        }
    };
    let days = i64::from((day - today).get_days());
    let sign = days.signum();
    match days.abs() {
        0 | 1 => {
            let around = language.around[if days < 0 { 0 } else { 1 + usize::from(days > 0) }];
            Ok(Cow::Owned(Value::from(around)))
        }
        away @ 2..14 => written(language, "day", sign * away),
        away @ 14..57 => written(language, "week", sign * rounded(away, 7)),
        // The mean lengths of a month and a year, in ten-thousandths of a day.
        away @ 57..730 => written(language, "month", sign * rounded(away * 10_000, 304_369)),
        away => written(language, "year", sign * rounded(away * 10_000, 3_652_425)),
    }
}

fn written(language: &Language, unit: &str, number: i64) -> Answer<'static> {
    let text = language.relative(unit, number);
    text.map(|text| Cow::Owned(Value::String(text))).ok_or_else(|| failed(format!("this language has no {unit}")))
}

fn rounded(value: i64, unit: i64) -> i64 {
    ((value + unit / 2) / unit).max(1)
}

/// Checks the pattern and the zone where the template spells them out.
pub(super) fn check(literals: &[Option<&Value>]) -> Result<(), String> {
    if let Some(Some(pattern)) = literals.get(1) {
        let pattern = pattern.as_str().ok_or("the pattern of a date must be text")?;
        if !pattern.contains('%') && !STYLES.contains(&pattern) {
            return Err(format!("there is no style {pattern:?}; there are {}, and patterns with %", STYLES.join(", ")));
        }
        let sample = Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        strtime::format(pattern, &sample).map_err(|error| format!("the pattern {pattern:?}: {error}"))?;
    }
    check_zone(literals.get(2))
}

/// Checks a zone where the template spells it out.
pub(super) fn check_zone(literal: Option<&Option<&Value>>) -> Result<(), String> {
    if let Some(Some(zone)) = literal {
        let zone = zone.as_str().ok_or("the zone of a date must be text")?;
        ZONES.get(zone).map_err(|_| format!("there is no time zone {zone:?}"))?;
    }
    Ok(())
}

fn when(value: &Value) -> Result<When, Stop> {
    let text = value.as_str().unwrap_or_default();
    if let Ok(instant) = text.parse::<Timestamp>() {
        Ok(When::Instant(instant))
    } else if let Ok(day) = text.parse::<Date>() {
        Ok(When::Day(day))
    } else {
        Err(failed(format!("{} is neither an instant nor a date", shown(value))))
    }
}

/// The zone the template names, else that of the reader, as whoever fills the template has found
/// it; else the first of the customer's and the shop's that exists.
/// A customer's wrong zone is no reason to keep the mail back.
fn zone(given: &Given<'_>, index: usize) -> Result<TimeZone, Stop> {
    if given.param(index).is_some() {
        let zone = required(given, index)?;
        let name = zone.as_str().unwrap_or_default();
        return ZONES.get(name).map_err(|_| failed(format!("there is no time zone {}", shown(zone))));
    }
    let of = |whose: &str| ZONES.get(given.data.get(whose)?.get("time_zone")?.as_str()?).ok();
    Ok(["reader", "customer", "shop"].into_iter().find_map(of).unwrap_or(TimeZone::UTC))
}

/// A day by one of CLDR's patterns (UTS 35, part 4, "Date field symbols").
pub(super) fn styled(day: Date, pattern: &str, language: &Language) -> String {
    let mut text = String::with_capacity(pattern.len() + 24);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\'' => {
                let quoted = rest[1..].find('\'').unwrap_or(rest.len() - 1);
                text.push_str(&rest[1..=quoted]);
                quoted + 2
            }
            'A'..='Z' | 'a'..='z' => {
                let run = rest.len() - rest.trim_start_matches(c).len();
                push_field(&mut text, c, run, day, language);
                run
            }
            _ => {
                text.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

fn push_field(text: &mut String, letter: char, width: usize, day: Date, language: &Language) {
    let names = &language.names;
    let month = usize::from(day.month().unsigned_abs()).saturating_sub(1).min(11);
    match (letter, width) {
        ('d', _) => text.push_str(&format!("{:0width$}", day.day())),
        ('M' | 'L', 1 | 2) => text.push_str(&format!("{:0width$}", day.month())),
        ('M', 3) => text.push_str(names.short_months[month]),
        ('M', _) => text.push_str(names.months[month]),
        ('L', 3) => text.push_str(names.short_months_alone.as_ref().unwrap_or(&names.short_months)[month]),
        ('L', _) => text.push_str(names.months_alone.as_ref().unwrap_or(&names.months)[month]),
        ('y', 2) => text.push_str(&format!("{:02}", day.year().rem_euclid(100))),
        ('y', _) => text.push_str(&day.year().to_string()),
        ('E', 1..=3) => text.push_str(names.short_days[index_of(day.weekday())]),
        ('E', _) => text.push_str(names.days[index_of(day.weekday())]),
        ('c', _) => text.push_str(names.days_alone.as_ref().unwrap_or(&names.days)[index_of(day.weekday())]),
        ('G', _) => text.push_str(names.era.unwrap_or_default()),
        _ => {}
    }
}

fn index_of(day: Weekday) -> usize {
    usize::from(day.to_sunday_zero_offset().unsigned_abs()).min(6)
}

/// The pattern with the names of this day and month put in as the language has them.
fn named(pattern: &str, day: Date, language: &Language) -> String {
    let names = &language.names;
    let (month, weekday) = (usize::from(day.month().unsigned_abs()).saturating_sub(1).min(11), index_of(day.weekday()));
    // "1 maja", but "maj 2026".
    let has_day = ["%d", "%e", "%-d", "%_d", "%-e", "%0d"].iter().any(|it| pattern.contains(it));
    let of = |letter: u8| match letter {
        b'B' if has_day => Some(names.months[month]),
        b'B' => Some(names.months_alone.as_ref().unwrap_or(&names.months)[month]),
        b'b' | b'h' if has_day => Some(names.short_months[month]),
        b'b' | b'h' => Some(names.short_months_alone.as_ref().unwrap_or(&names.short_months)[month]),
        b'A' if has_day => Some(names.days[weekday]),
        b'A' => Some(names.days_alone.as_ref().unwrap_or(&names.days)[weekday]),
        b'a' => Some(names.short_days[weekday]),
        _ => None,
    };
    let mut text = String::with_capacity(pattern.len() + 24);
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let flags = rest[at + 1..].bytes().take_while(|byte| b"-_0^#".contains(byte) || byte.is_ascii_digit()).count();
        let directive = &rest[at..];
        let end = at + 1 + flags;
        match rest.as_bytes().get(end).copied() {
            Some(letter) if letter.is_ascii() => {
                match of(letter) {
                    Some(name) if directive[..=flags].contains('^') => text.push_str(&name.to_uppercase()),
                    Some(name) => text.push_str(name),
                    None => text.push_str(&directive[..flags + 2]),
                }
                rest = &rest[end + 1..];
            }
            _ => {
                text.push_str(&directive[..=flags]);
                rest = &rest[end..];
            }
        }
    }
    text.push_str(rest);
    text
}
