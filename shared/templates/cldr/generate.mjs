// Writes what `languages.jsonl` and `expected.jsonl` hold, one language a line.
//
//     npm install cldr-core@48.0.0 cldr-dates-full@48.0.0 cldr-numbers-full@48.0.0 && node generate.mjs
//
// The first is Unicode's CLDR, cut down to what the helpers print. The second is what Node's own
// ICU makes of some samples: a second opinion, which the tests hold the helpers to.

import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const TAGS = `ar az be bg bn bs ca cs da de de-AT de-CH el en en-CA en-IN en-US es es-MX et eu fi fil fr fr-CH ga gl he
  hi hr hu hy id is it ja ka kk ko ky lb lt lv mk mn ms mt nl no pl pt pt-PT ro ru sk sl sq sr sr-Latn sv ta th tr uk
  uz vi zh zh-Hant`.split(/\s+/);
const UNITS = ['minute', 'hour', 'day', 'week', 'month', 'year'];

// "en" alone says nothing of where: amounts as in America, dates with the day first, as elsewhere.
const dated = (tag) => (tag === 'en' ? 'en-001' : tag);
const inCldr = (tag) => (tag === 'en-US' ? 'en' : tag);

const supplement = (name) => require(`cldr-core/supplemental/${name}.json`).supplemental;
const current = new Set(
  Object.values(supplement('currencyData').currencyData.region)
    .flat()
    .flatMap((entry) => Object.entries(entry))
    .filter(([, is]) => !is._to && is._tender !== 'false')
    .map(([code]) => code),
);
const rules = supplement('plurals')['plurals-type-cardinal'];

function language(tag) {
  const [main, dates] = [inCldr(tag), inCldr(dated(tag))];
  const { numbers } = require(`cldr-numbers-full/main/${main}/numbers.json`).main[main];
  const { currencies } = require(`cldr-numbers-full/main/${main}/currencies.json`).main[main].numbers;
  const { gregorian } = require(`cldr-dates-full/main/${dates}/ca-gregorian.json`).main[dates].dates.calendars;
  const { fields } = require(`cldr-dates-full/main/${dates}/dateFields.json`).main[dates].dates;
  const signs = numbers['symbols-numberSystem-latn'];
  const { months, days, dateFormats } = gregorian;
  const list = (of, context, width) => Object.values(of[context][width]);
  const unless = (value, other) => (JSON.stringify(value) === JSON.stringify(other) ? undefined : value);
  const form = (of, width) => list(of, 'format', width);
  const alone = (of, width) => unless(list(of, 'stand-alone', width), form(of, width));
  const symbols = Object.entries(currencies)
    .filter(([code, { symbol }]) => current.has(code) && symbol && symbol !== code)
    .map(([code, { symbol }]) => [code, symbol]);
  const patterns = (of) =>
    Object.fromEntries(
      Object.entries(of).map(([name, text]) => [name.replace('relativeTimePattern-count-', ''), text]));
  const unit = ({ 'relativeTime-type-past': past, 'relativeTime-type-future': future }) => ({
    past: patterns(past),
    future: patterns(future),
  });
  const plurals = Object.entries(rules[main] ?? rules[main.split('-')[0]])
    .map(([name, rule]) => [name.replace('pluralRule-count-', ''), rule.split('@')[0].trim()])
    .filter(([, rule]) => rule);
  return {
    tag,
    decimal: signs.decimal,
    group: signs.group,
    minus: signs.minusSign,
    money_decimal: signs.currencyDecimal,
    money_group: signs.currencyGroup,
    grouped_from: Number(numbers.minimumGroupingDigits),
    pairs: numbers['decimalFormats-numberSystem-latn'].standard.includes('#,##,##0') || undefined,
    money: numbers['currencyFormats-numberSystem-latn'].standard.replace(/#[#,0.]*0/g, '#'),
    symbols: Object.fromEntries(symbols),
    // The narrow space is missing from too many fonts; V8 prints a plain one, too.
    dates: ['short', 'medium', 'long', 'full'].map((style) => dateFormats[style].replace(/\u202f/g, ' ')),
    months: form(months, 'wide'),
    months_alone: alone(months, 'wide'),
    short_months: form(months, 'abbreviated'),
    short_months_alone: alone(months, 'abbreviated'),
    days: form(days, 'wide'),
    days_alone: alone(days, 'wide'),
    short_days: form(days, 'abbreviated'),
    era: Object.values(dateFormats).some((it) => it.includes('G')) ? gregorian.eras.eraAbbr[1] : undefined,
    now: fields.second['relative-type-0'],
    around: [-1, 0, 1].map((day) => fields.day[`relative-type-${day}`]),
    units: Object.fromEntries(UNITS.map((name) => [name, unit(fields[name])])),
    plurals,
  };
}

function expected(tag) {
  const [amounts, dates] = [`${tag}-u-nu-latn`, `${dated(tag)}-u-ca-gregory-nu-latn`];
  const money = [['1234.5', 'EUR'], ['-5', 'USD'], ['1234567.5', 'JPY'], ['0.1', 'PLN'],
    ['-98765.43', 'CHF'], ['7', 'SEK']];
  const on = (month, day) => new Date(Date.UTC(2026, month - 1, day));
  const away = [['minute', 5], ['hour', -2], ['hour', 1], ['day', 3], ['day', -9], ['day', 1],
    ['week', 5], ['month', -22], ['year', 2]];
  const counts = [...Array(32).keys(), 41, 100, 101, 102, 105, 111, 1000, 1000000, 0.5, 1.5, 2.1];
  const chosen = new Intl.PluralRules(tag);
  return {
    tag,
    money: money.map(([amount, currency]) => [
      amount, currency, new Intl.NumberFormat(amounts, { style: 'currency', currency }).format(amount)]),
    numbers: ['1234', '12345.678', '-1234567'].map((it) => [it, new Intl.NumberFormat(amounts).format(it)]),
    dates: [[3, 1], [5, 9], [11, 23]].map(([month, day]) => [
      on(month, day).toISOString().slice(0, 10),
      ...['short', 'medium', 'long', 'full'].map((dateStyle) =>
        new Intl.DateTimeFormat(dates, { dateStyle, timeZone: 'UTC' }).format(on(month, day)))]),
    relative: away.map(([unit, n]) => [
      unit, n, new Intl.RelativeTimeFormat(amounts, { numeric: unit === 'day' ? 'auto' : 'always' }).format(n, unit)]),
    plurals: counts.map((n) => [String(n), chosen.select(n)]),
  };
}

const lines = (of) => TAGS.map((tag) => `${JSON.stringify(of(tag))}\n`).join('');
writeFileSync(new URL('languages.jsonl', import.meta.url), lines(language));
writeFileSync(new URL('expected.jsonl', import.meta.url), lines(expected));
