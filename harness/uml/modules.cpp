#include "harness/uml/modules.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/file.hpp"

namespace sunder::uml {
namespace {

namespace fs = std::filesystem;

constexpr std::array kWanted = std::to_array<std::string_view>(
    {"act_gact",  "act_mirred", "bridge",       "cls_basic",       "cls_matchall",    "cls_u32",
     "dummy",     "fuse",       "nf_conntrack", "nf_reject_ipv4",  "nf_tables",       "nft_ct",
     "nft_limit", "nft_numgen", "nft_reject",   "nft_reject_inet", "nft_reject_ipv4", "overlay",
     "sch_fq",    "sch_htb",    "sch_ingress",  "sch_netem",       "sch_prio",        "sch_sfq",
     "sch_tbf",   "tun",        "veth"});

using Dependencies = std::map<std::string, std::vector<std::string>, std::less<>>;

// "kernel/net/802/stp.ko" → "stp"; '-' and '_' are the same in names of modules.
std::string name_of(std::string_view file) {
  std::string name = fs::path(file).stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

void add_with_needs(const Dependencies& all,
                    const std::string& file,
                    std::vector<std::string>& order) {
  if (std::ranges::find(order, file) != order.end()) return;
  // modules.dep lists everything a module needs, also indirectly: what is needed most comes last.
  const std::vector<std::string>& needs = all.at(file);
  for (auto need = needs.rbegin(); need != needs.rend(); ++need) {
    if (std::ranges::find(order, *need) == order.end()) order.push_back(*need);
  }
  order.push_back(file);
}

}  // namespace

std::span<const std::string_view> wanted_modules() {
  return kWanted;
}

std::vector<std::string> load_order(std::string_view modules_dep,
                                    std::span<const std::string_view> wanted) {
  Dependencies all;
  std::map<std::string, std::string, std::less<>> files;
  std::istringstream lines{std::string(modules_dep)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string file = line.substr(0, colon);
    files[name_of(file)] = file;
    std::istringstream needs(line.substr(colon + 1));
    std::vector<std::string>& list = all[file];
    for (std::string need; needs >> need;) list.push_back(need);
  }
  std::vector<std::string> order;
  for (const std::string_view name : wanted) {
    const auto found = files.find(name);
    if (found != files.end()) add_with_needs(all, found->second, order);
  }
  return order;
}

Result<std::vector<std::string>> load_modules(const fs::path& directory) {
  const auto dependencies = base::read_file(directory / "modules.dep");
  SUNDER_TRY(dependencies);
  std::vector<std::string> failures;
  for (const std::string& file : load_order(*dependencies, wanted_modules())) {
    const base::FileDescriptor module(::open((directory / file).c_str(), O_RDONLY | O_CLOEXEC));
    const bool loaded = module.valid() && ::syscall(SYS_finit_module, module.get(), "", 0) == 0;
    if (!loaded && errno != EEXIST) failures.push_back(base::system_error(file).message());
  }
  return failures;
}

}  // namespace sunder::uml
