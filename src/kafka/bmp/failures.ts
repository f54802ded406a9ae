/** Why a record, or a part of one, is lost. Closed list: it becomes a label. */
export const BMP_DECODE_FAILURES = [
  'truncated', // shorter than its own lengths say
  'invalid_openbmp_header',
  'unknown_record', // begins like none of the three forms
  'unknown_bmp_version',
  'unknown_bmp_type',
  'invalid_vp', // a peer without an AS or an address
  'invalid_update', // not an UPDATE, or one whose lengths contradict each other; all of it is lost
  'invalid_prefix', // what follows it cannot be told apart, so all prefixes of the message are lost
  'invalid_as_path', // the announcement is lost; withdrawals of the same message are applied
  'missing_as_path',
  'invalid_next_hop', // the announcement is applied without a next hop
  'invalid_communities', // the announcement is applied without communities
  'invalid_open', // of a Peer Up: whether path identifiers follow is not known
  'peer_limit', // too many peers are known
  'path_limit', // too many routes of peers that send several a prefix (ADD-PATH)
] as const;
/** One of `BMP_DECODE_FAILURES`. */
export type BmpDecodeFailure = (typeof BMP_DECODE_FAILURES)[number];

/** What is read and says nothing that counts. Closed list: it becomes a label. */
export const BMP_UNUSED = [
  'other_object', // OpenBMP about something else than a BMP message
  'other_message', // a statistics report or a mirrored route
  'other_rib', // routes of a VPN or of the router itself (Loc-RIB)
  'adj_rib_out', // what a router sends to the peer
  'other_family', // neither IPv4 nor IPv6 unicast
  'other_policy_view', // the same peer's routes before or after policy, whichever is not the one that is followed
  'other_feed', // another router or topic speaks of the same peer
  'repeated_peer_down',
  'record_time', // the message's own time cannot be right; the record's was taken
] as const;
/** One of `BMP_UNUSED`. */
export type BmpUnused = (typeof BMP_UNUSED)[number];
