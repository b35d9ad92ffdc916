#include "harness/netlink/packet_filter.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include "harness/base/assert.hpp"

namespace sunder::netlink {
namespace {

struct Free {
  void operator()(nft_ctx* context) const noexcept { nft_ctx_free(context); }
};

// The first line of what libnftables says, without its own place in our text.
std::string first_line(std::string_view text) {
  const std::size_t begin = text.find("Error: ");
  if (begin != std::string_view::npos) text.remove_prefix(begin + 7);
  return std::string(text.substr(0, text.find('\n')));
}

// Runs commands in the calling thread's namespace: what they print. A context's socket belongs to
// the namespace in which it was made, so each call makes its own.
Result<std::string> run(const std::string& commands, std::string_view what) {
  const std::unique_ptr<nft_ctx, Free> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (context == nullptr) return make_error(Errc::failed, "make a context of libnftables");
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) != 0) {
    const std::string why = first_line(nft_ctx_get_error_buffer(context.get()));
    return make_error(Errc::unsupported, fmt::format("{}: {}", what, why));
  }
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

struct Rules {
  std::string_view hook;
  std::string_view text;  // one rule a line
};

Rules rules_of(FilterAction action) {
  switch (action) {
    case FilterAction::refuse:
      // An RST is let through: it is how the other end is told, when both directions are refused.
      return {"input",
              "@pairs tcp flags & rst == 0 counter name hits reject with tcp reset\n"
              "@pairs ip protocol != tcp counter name hits reject\n"};
    case FilterAction::refuse_new:
      return {"input",
              "@pairs tcp flags & (syn | ack) == syn counter name hits reject with tcp reset\n"};
    case FilterAction::drop_new:
      return {"input", "@pairs tcp flags & (syn | ack) == syn counter name hits drop\n"};
    case FilterAction::withhold_reset:
      return {"output", "@pairs tcp flags & rst == rst counter name hits drop\n"};
  }
  SUNDER_ASSERT_MESSAGE(false, "no such action");
}

bool is_plain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  });
}

}  // namespace

std::string filter_text(const FilterTable& table) {
  SUNDER_ASSERT(is_plain(table.name));
  SUNDER_ASSERT(!table.pairs.empty());
  std::string elements;
  for (const AddressPair& pair : table.pairs) {
    if (!elements.empty()) elements += ", ";
    elements += to_text(pair.source) + " . " + to_text(pair.destination);
  }
  const Rules rules = rules_of(table.action);
  std::string lines;
  for (std::string_view rest = rules.text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    lines += fmt::format("    ip saddr . ip daddr {}\n", rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return fmt::format(
      "table ip {0} {{\n"
      "  counter hits {{ }}\n"
      "  set pairs {{ type ipv4_addr . ipv4_addr; elements = {{ {1} }}; }}\n"
      "  chain {2} {{\n"
      "    type filter hook {2} priority filter; policy accept;\n"
      "{3}"
      "  }}\n"
      "}}\n",
      table.name,
      elements,
      rules.hook,
      lines);
}

Result<void> install_filter(const FilterTable& table) {
  // "create" refuses a table that is there already.
  const std::string text = fmt::format("create table ip {}\n{}", table.name, filter_text(table));
  const auto done = run(text, fmt::format("install the packet filter {}", table.name));
  if (done.has_error()) return done.error();
  return {};
}

Result<void> remove_filter(const std::string& name) {
  SUNDER_ASSERT(is_plain(name));
  const auto done = run(fmt::format("delete table ip {}\n", name),
                        fmt::format("remove the packet filter {}", name));
  if (done.has_error()) return done.error();
  return {};
}

Result<std::uint64_t> filter_count(const std::string& name) {
  SUNDER_ASSERT(is_plain(name));
  const auto listed = run(fmt::format("list counter ip {} hits\n", name),
                          fmt::format("read the counter of the packet filter {}", name));
  if (listed.has_error()) return listed.error();
  constexpr std::string_view kWord = "packets ";
  const std::size_t at = listed->find(kWord);
  std::uint64_t count = 0;
  if (at == std::string::npos) return make_error(Errc::failed, "a counter without packets");
  const char* const first = listed->data() + at + kWord.size();
  std::from_chars(first, listed->data() + listed->size(), count);
  return count;
}

Result<std::vector<std::string>> filter_tables() {
  const auto listed = run("list tables\n", "list packet filters");
  if (listed.has_error()) return listed.error();
  std::vector<std::string> tables;
  for (std::string_view rest = *listed; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.starts_with("table ")) tables.emplace_back(line.substr(6));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return tables;
}

}  // namespace sunder::netlink
