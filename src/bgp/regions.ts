/** Countries by their codes (ISO 3166-1 alpha-2), and the regions of the world that they are in. */

/** Closed list: it becomes a label. Where a place is not told, or is in none of them (Antarctica), it is `unknown`. */
export const REGIONS = ['africa', 'asia', 'europe', 'north_america', 'south_america', 'oceania', 'unknown'] as const;
/** One of `REGIONS`. */
export type Region = (typeof REGIONS)[number];

/**
 * By UN M49, with America in two: Central America and the Caribbean belong to the north. Kosovo has no code of ISO's; XK is
 * what registries use. Countries on two continents are where M49 has them (Russia in Europe; Turkey, Cyprus and the countries
 * south of the Caucasus in Asia).
 */
const COUNTRIES: Readonly<Record<Exclude<Region, 'unknown'>, string>> = {
  africa:
    'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW',
  asia: 'AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE',
  europe:
    'AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK',
  north_america:
    'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI',
  south_america: 'AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE',
  oceania: 'AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS',
};

const REGION_OF = new Map<string, Region>();
for (const [region, codes] of Object.entries(COUNTRIES))
  for (const code of codes.split(' ')) REGION_OF.set(code, region as Region);

/** What else countries are called where people write them by hand. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  uk: 'GB',
  usa: 'US',
  'united states of america': 'US',
  'the netherlands': 'NL',
  'czech republic': 'CZ',
  'russian federation': 'RU',
  'korea, republic of': 'KR',
  'hong kong': 'HK',
};

/** Built when it is first asked for: most programs never are. */
let namesOf: ReadonlyMap<string, string> | undefined;

function codeOfName(name: string): string | undefined {
  if (namesOf === undefined) {
    const english = new Intl.DisplayNames('en', { type: 'region' });
    const names = new Map(Object.entries(OTHER_NAMES));
    for (const code of REGION_OF.keys()) names.set(english.of(code)?.toLowerCase() ?? code, code);
    namesOf = names;
  }
  return namesOf.get(name.toLowerCase());
}

/** The region of a country by its code in capitals; `unknown` for any other text. */
export function regionOf(country: string): Region {
  return REGION_OF.get(country) ?? 'unknown';
}

/** The code of a country in capitals that a text names by its code or its English name; empty when it names none. */
export function countryOf(text: string): string {
  const word = text.trim();
  const code = word.toUpperCase();
  return REGION_OF.has(code) ? code : (codeOfName(word) ?? '');
}
