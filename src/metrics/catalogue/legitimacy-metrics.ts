/** Whether what is seen of a monitored prefix is legitimate: by the RPKI, by ASPA, and by the paths themselves. */
import { PATH_ANOMALIES } from '../../bgp/path-sanity.ts';
import { VALIDITIES } from '../../rpki/origin-validation.ts';
import { ASPA_VERDICTS } from '../../rpki/path-verification.ts';
import { BOUNDS, boundText } from '../../table/bounds.ts';
import { defineMetrics } from '../metric.ts';

const PREFIX = ['prefix'] as const;

/** Each prefix has these series. Those of the RPKI need `rpki` in the configuration and usable data; path anomalies need `paths`. */
export const legitimacyMetrics = defineMetrics({
  prefixRpkiVps: {
    otlpName: 'bgp.prefix.rpki_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'validity'],
    help: 'Visible vantage points by the validity of their origin (RFC 6811): valid, invalid_as, invalid_length (a covering VRP has this origin, but allows only shorter prefixes), not_found. Absent while no validated data is usable.',
    bound: `${VALIDITIES.length} for each prefix`,
  },
  prefixOriginRpkiInfo: {
    otlpName: 'bgp.prefix.origin_rpki_info',
    kind: 'gauge',
    unit: '',
    labels: ['prefix', 'origin_as', 'validity', 'expected'],
    help: 'Always 1; its labels have the validity of an origin of the prefix, and whether the origin is configured (expected: true, false, or empty if no origins are configured). Configured origins have a series even if nobody sees them, so a backup origin that would be invalid shows today.',
    bound: `${boundText(BOUNDS.originSeries)} for each prefix`,
  },
  prefixMoreSpecificRpkiVps: {
    otlpName: 'bgp.prefix.more_specific_rpki_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'validity'],
    help: 'Routes for more-specifics of the prefix that vantage points hold now, by the validity of their origin. A vantage point counts once for each more-specific that it holds.',
    bound: `${VALIDITIES.length} for each prefix`,
  },
  prefixCoveringVrps: {
    otlpName: 'bgp.prefix.covering_vrps',
    kind: 'gauge',
    unit: '{vrp}',
    labels: PREFIX,
    help: 'VRPs whose prefix contains the monitored prefix or equals it. 0: origin validation does not protect the prefix.',
    bound: 'one for each prefix',
  },
  prefixAspaVps: {
    otlpName: 'bgp.prefix.aspa_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'verdict'],
    help: 'Visible vantage points by the ASPA verdict on their path (draft-ietf-sidrops-aspa-verification, downstream procedure): valid, unknown, invalid (a route leak, or an ASPA that lacks a provider), unverifiable (a confederation, or the path of a vantage point inside the origin).',
    bound: `${ASPA_VERDICTS.length} for each prefix`,
  },
  prefixPathAnomalyVps: {
    otlpName: 'bgp.prefix.path_anomaly_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'anomaly'],
    help: 'Visible vantage points whose path has the anomaly: loop, as_zero, as_trans, private_as, documentation_as, reserved_as, as_set, confederation, valley (a transit-free AS, other ASes, and a transit-free AS again). A path may have several. Exists only if paths is configured.',
    bound: `${PATH_ANOMALIES.length} for each prefix`,
  },
});
