#include "drivers/tun_steering.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <random>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "drivers/file_descriptor.hpp"

namespace tunic::drivers {

namespace {

// Registers. `value` is where loads put what they load; they spoil r1 to r5, and want the context in r6.
enum reg : std::uint8_t { value = 0, argument = 1, context = 6, at = 7, sum = 8, protocol = 9 };

/// Instructions of eBPF, with jumps to labels further down.
class assembler {
 public:
  using label = std::vector<std::size_t>;  // of the jumps to it

  void set(reg to, std::int32_t n) { add(BPF_ALU64 | BPF_MOV | BPF_K, to, value, n); }
  void set(reg to, std::uint64_t n) {
    add(BPF_LD | BPF_DW | BPF_IMM, to, value, static_cast<std::int32_t>(n));
    add(0, value, value, static_cast<std::int32_t>(n >> 32));
  }
  void set(reg to, reg from) { add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0); }
  void calculate(int what, reg to, std::int32_t n) { add(BPF_ALU64 | what | BPF_K, to, value, n); }
  void calculate(int what, reg to, reg from) { add(BPF_ALU64 | what | BPF_X, to, from, 0); }
  /// value = the octets at `at` + offset, by host order. Beyond the end of the datagram the program ends with 0.
  void load(int size, std::int32_t offset) { add(BPF_LD | BPF_IND | size, value, at, offset); }
  void jump(label& to) {
    to.push_back(made_.size());
    add(BPF_JMP | BPF_JA, value, value, 0);
  }
  void jump_if(int condition, reg what, std::int32_t n, label& to) {
    to.push_back(made_.size());
    add(BPF_JMP | condition | BPF_K, what, value, n);
  }
  void here(const label& l) {
    for (const std::size_t jump : l) made_[jump].off = static_cast<std::int16_t>(made_.size() - jump - 1);
  }
  void exit() { add(BPF_JMP | BPF_EXIT, value, value, 0); }

  [[nodiscard]] const std::vector<bpf_insn>& made() const { return made_; }

 private:
  void add(int code, reg to, reg from, std::int32_t n) {
    bpf_insn i{};
    i.code = static_cast<std::uint8_t>(code);
    i.dst_reg = to & 15;
    i.src_reg = from & 15;
    i.imm = n;
    made_.push_back(i);
  }

  std::vector<bpf_insn> made_;
};

constexpr std::int32_t icmp = 1, tcp = 6, udp = 17, icmpv6 = 58;
constexpr std::int32_t hop_by_hop = 0, routing = 43, destination_options = 60;  // RFC 8200 §4.1
constexpr int extension_headers = 4;                                            // walked at most

void add_ipv4_addresses(assembler& a, assembler::label& done) {
  a.load(BPF_W, 12);
  a.set(sum, value);
  a.load(BPF_W, 16);
  a.calculate(BPF_ADD, sum, value);
  a.load(BPF_B, 9);
  a.set(protocol, value);
  constexpr std::int32_t more_or_offset = 0x3fff;  // only the first fragment has ports, so none of them counts
  a.load(BPF_H, 6);
  a.calculate(BPF_AND, value, more_or_offset);
  a.jump_if(BPF_JNE, value, 0, done);
  a.load(BPF_B, 0);
  a.calculate(BPF_AND, value, 15);
  a.calculate(BPF_LSH, value, 2);
  a.calculate(BPF_ADD, at, value);
}

void add_ipv6_addresses(assembler& a) {
  a.set(sum, 0);
  for (std::int32_t word = 8; word < 40; word += 4) {
    a.load(BPF_W, word);
    a.calculate(BPF_ADD, sum, value);
  }
  a.load(BPF_B, 6);
  a.set(protocol, value);
  a.calculate(BPF_ADD, at, 40);
  assembler::label transport;
  for (int i = 0; i < extension_headers; ++i) {
    assembler::label extension;
    a.jump_if(BPF_JEQ, protocol, hop_by_hop, extension);
    a.jump_if(BPF_JEQ, protocol, routing, extension);
    a.jump_if(BPF_JNE, protocol, destination_options, transport);
    a.here(extension);
    a.load(BPF_B, 0);
    a.set(protocol, value);
    a.load(BPF_B, 1);
    a.calculate(BPF_ADD, value, 1);
    a.calculate(BPF_LSH, value, 3);
    a.calculate(BPF_ADD, at, value);
  }
  a.here(transport);
}

/// Goes on behind this with the datagram that an ICMP error quotes.
void step_into_icmp_error(assembler& a, assembler::label& done) {
  assembler::label v6, quoted;
  a.jump_if(BPF_JEQ, protocol, icmpv6, v6);
  a.jump_if(BPF_JNE, protocol, icmp, done);
  a.load(BPF_B, 0);
  for (const std::int32_t error : {3, 11, 12})  // unreachable, time exceeded, parameter problem (RFC 792)
    a.jump_if(BPF_JEQ, value, error, quoted);
  a.jump(done);
  a.here(v6);
  constexpr std::int32_t informational = 128;  // from here on (RFC 4443 §2.1)
  a.load(BPF_B, 0);
  a.jump_if(BPF_JGE, value, informational, done);
  a.here(quoted);
  a.calculate(BPF_ADD, at, 8);
}

// The sums are the same for both directions of a flow, so that a datagram of ours, quoted, counts as the peer's.
void add_flow(assembler& a) {
  assembler::label done;
  a.set(context, argument);
  a.set(at, 0);
  for (const bool quoted : {false, true}) {
    assembler::label v6, transport, ports;
    a.load(BPF_B, 0);
    a.calculate(BPF_RSH, value, 4);
    a.jump_if(BPF_JEQ, value, 6, v6);
    add_ipv4_addresses(a, done);
    a.jump(transport);
    a.here(v6);
    add_ipv6_addresses(a);
    a.here(transport);
    assembler::label next;
    a.jump_if(BPF_JEQ, protocol, tcp, ports);
    a.jump_if(BPF_JEQ, protocol, udp, ports);
    if (quoted) {
      a.jump(done);
    } else {
      step_into_icmp_error(a, done);
      a.jump(next);
    }
    a.here(ports);
    a.calculate(BPF_LSH, sum, 17);  // the sum of two ports fits into what that frees
    a.load(BPF_H, 0);
    a.calculate(BPF_ADD, sum, value);
    a.load(BPF_H, 2);
    a.calculate(BPF_ADD, sum, value);
    a.jump(done);
    a.here(next);
  }
  a.here(done);
}

/// The finish of splitmix64. Of what it returns the kernel takes the remainder by the number of queues.
void mix(assembler& a, std::uint64_t key) {
  a.set(value, key);
  a.calculate(BPF_ADD, sum, value);
  for (const auto& [shift, factor] : {std::pair{30, 0xbf58476d1ce4e5b9u}, std::pair{27, 0x94d049bb133111ebu}}) {
    a.set(value, sum);
    a.calculate(BPF_RSH, value, shift);
    a.calculate(BPF_XOR, sum, value);
    a.set(value, std::uint64_t{factor});
    a.calculate(BPF_MUL, sum, value);
  }
  a.set(value, sum);
  a.calculate(BPF_RSH, value, 32);
  a.exit();
}

}  // namespace

std::error_code steer_by_flow(int fd) {
  std::random_device source;
  assembler a;
  add_flow(a);
  mix(a, std::uint64_t{source()} << 32 | source());

  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);  // all of it: the kernel refuses what it does not know
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = reinterpret_cast<std::uintptr_t>(a.made().data());
  attributes.insn_cnt = static_cast<std::uint32_t>(a.made().size());
  static constexpr char license[] = "MIT";
  attributes.license = reinterpret_cast<std::uintptr_t>(&license);
  const file_descriptor program{static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes))};
  if (!program) return {errno, std::system_category()};
  const int number = program.get();
  if (::ioctl(fd, TUNSETSTEERINGEBPF, &number) != 0) return {errno, std::system_category()};
  return {};
}

}  // namespace tunic::drivers
