use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::countries::COUNTRIES;

/// The database in the binary, never the machine's.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone by whose clock somebody lives: their own, else the one in which most people of
/// their country live, else the shop's, else UTC. What names no zone or country is passed
/// over.
#[must_use]
pub fn zone_of(own: Option<&str>, country: Option<&str>, shop: Option<&str>) -> TimeZone {
    let named = [own, country.and_then(zone_of_country), shop];
    named.into_iter().flatten().find_map(|name| ZONES.get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// Every zone of the database by its name, those that are another name of one included.
pub fn zones() -> impl Iterator<Item = TimeZone> {
    ZONES.available().filter_map(|name| ZONES.get(name.as_str()).ok())
}

fn zone_of_country(country: &str) -> Option<&'static str> {
    let found = COUNTRIES.binary_search_by_key(&country, |(code, _)| code).ok()?;
    Some(COUNTRIES[found].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_zone_of_the_database_and_stands_once() {
        assert!(COUNTRIES.is_sorted_by(|(one, _), (next, _)| one < next));
        for (country, zone) in COUNTRIES {
            assert_eq!(zone_of(None, Some(country), Some("Asia/Tokyo")).iana_name(), Some(zone), "{country}");
        }
    }

    #[test]
    fn somebodys_own_zone_goes_before_their_countrys_and_that_before_the_shops() {
        let name = |own, country, shop| zone_of(own, country, shop).iana_name().map(str::to_owned);
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(name(Some("America/Los_Angeles"), Some("US"), Some("Europe/Riga")), is("America/Los_Angeles"));
        assert_eq!(name(None, Some("US"), Some("Europe/Riga")), is("America/New_York"));
        assert_eq!(name(Some("Mars/Olympus"), Some("XX"), Some("Europe/Riga")), is("Europe/Riga"));
        assert_eq!(zone_of(Some(""), None, Some("nowhere")), TimeZone::UTC);
        assert_eq!(zone_of(None, None, None), TimeZone::UTC);
    }
}
