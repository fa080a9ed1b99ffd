#pragma once

#include <cstdint>
#include <optional>

#include "stack/ip/datagram.hpp"
#include "stack/wire/icmp.hpp"

namespace tunic::ip {

/// An ICMP message ready to be sent, its checksum finished. The text is shared, not copied.
outgoing compose_icmp(const wire::icmp_header& h, const address& source, const address& destination, slice text);

/// The octets of a datagram that an error about it quotes: what keeps the error within 576 octets in version 4
/// (RFC 1812 §4.3.2.3) and 1,280 in version 6 (RFC 4443 §2.4 (c)).
slice quote(const slice& datagram, family f);

/// Whether the transport octets are an ICMP message about which no error may be sent (RFC 1122 §3.2.2, RFC 4443 §2.4
/// (e)).
bool is_icmp_error(std::uint8_t protocol, family f, const slice& transport);

/// What an ICMP error says about the packet that it quotes: all fields but `reporter`. Nothing where the quotation is
/// of another version, of a later fragment, or too short for addresses, protocol and 8 octets of transport. It may end
/// anywhere behind those; its lengths and checksums are not believed.
std::optional<icmp_error> read_icmp_error(const wire::icmp_header& h, family f, const slice& quotation);

}  // namespace tunic::ip
