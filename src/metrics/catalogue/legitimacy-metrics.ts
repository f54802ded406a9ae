/** Whether what is seen of a monitored prefix is legitimate: by the RPKI, by ASPA, and by the paths themselves. */
import { PATH_ANOMALIES } from '../../bgp/path-sanity.ts';
import { VALIDITIES } from '../../rpki/origin-validation.ts';
import { ASPA_VERDICTS } from '../../rpki/path-verification.ts';
import { BOUNDS, boundText } from '../../table/bounds.ts';
import { defineMetrics } from '../metric.ts';

const PREFIX = ['prefix'] as const;

/** By prefix; those of the RPKI only where `rpki` is configured and its data is usable, path anomalies where `paths` is. */
export const legitimacyMetrics = defineMetrics({
  prefixRpkiVps: {
    otlpName: 'bgp.prefix.rpki_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'validity'],
    help: 'Visible vantage points by the validity of their origin (RFC 6811): valid, invalid_as, invalid_length (a covering VRP has this very origin, but not for so long a prefix), not_found. Absent while no validated data is usable.',
    bound: `${VALIDITIES.length} a prefix`,
  },
  prefixOriginRpkiInfo: {
    otlpName: 'bgp.prefix.origin_rpki_info',
    kind: 'gauge',
    unit: '',
    labels: ['prefix', 'origin_as', 'validity', 'expected'],
    help: 'Always 1; its labels say how valid an origin of the prefix is, and whether it is configured (expected: true, false, or empty where no origins are configured). Configured origins are there although nobody sees them: what would be invalid tomorrow shows today.',
    bound: `${boundText(BOUNDS.originSeries)} a prefix`,
  },
  prefixMoreSpecificRpkiVps: {
    otlpName: 'bgp.prefix.more_specific_rpki_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'validity'],
    help: 'Routes for more-specifics of the prefix that vantage points hold now, by the validity of their origin. A vantage point counts once for each more-specific that it holds.',
    bound: `${VALIDITIES.length} a prefix`,
  },
  prefixCoveringVrps: {
    otlpName: 'bgp.prefix.covering_vrps',
    kind: 'gauge',
    unit: '{vrp}',
    labels: PREFIX,
    help: 'VRPs whose prefix contains the monitored one or equals it. 0: the prefix is not protected by origin validation.',
    bound: 'one a prefix',
  },
  prefixAspaVps: {
    otlpName: 'bgp.prefix.aspa_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'verdict'],
    help: 'Visible vantage points by what ASPA says of their path (draft-ietf-sidrops-aspa-verification, downstream procedure): valid, unknown, invalid (a route leak, or an ASPA that lacks a provider), unverifiable (a confederation, or the path of a vantage point inside the origin).',
    bound: `${ASPA_VERDICTS.length} a prefix`,
  },
  prefixPathAnomalyVps: {
    otlpName: 'bgp.prefix.path_anomaly_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'anomaly'],
    help: 'Visible vantage points whose path has the anomaly: loop, as_zero, as_trans, private_as, documentation_as, reserved_as, as_set, confederation, valley (a transit-free AS, others, a transit-free AS again). A path may have several. Only where paths is configured.',
    bound: `${PATH_ANOMALIES.length} a prefix`,
  },
});
