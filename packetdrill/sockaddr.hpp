#pragma once

#include <sys/socket.h>

#include "stack/base/address.hpp"
#include "stack/base/result.hpp"

namespace tunic::packetdrill {

/// What a name says to a socket of the domain; else an errno. IPv4 in its mapped form is IPv4.
result<endpoint, int> endpoint_of(const sockaddr* name, socklen_t length, int domain);
/// Writes the end's name as a socket of the domain tells it; nothing where `name` is null.
void write_name(const endpoint& e, int domain, sockaddr* name, socklen_t* length);

}  // namespace tunic::packetdrill
