#include "tests/tidy/layers.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

namespace sunder::tidy {

namespace {

struct Folder {
  const char* path;
  std::vector<std::string> may_use;      // folders beside itself
  std::vector<std::string> may_include;  // single headers of other folders
};

// docs/architecture.md draws it. "*" is everything.
const std::vector<Folder>& folders() {
  static const std::vector<Folder> table = {
      {"checkers", {"harness/base", "harness/history"}, {}},
      {"checkers/levels", {"checkers", "harness/base", "harness/history"}, {}},
      {"harness/base", {}, {}},
      {"harness/cli", {"*"}, {}},
      {"harness/clock_shim", {"harness/base"}, {}},
      {"harness/cluster",
       {"harness/base", "harness/clock_shim", "harness/disk", "harness/history", "harness/netlink"},
       {}},
      {"harness/disk", {"harness/base"}, {}},
      {"harness/history", {"harness/base"}, {}},
      {"harness/netlink", {"harness/base"}, {}},
      {"harness/report",
       {"harness/base", "harness/history"},
       {"checkers/figure.hpp", "checkers/verdict.hpp"}},
      {"harness/run",
       {"harness/base",
        "harness/clock_shim",
        "harness/history",
        "harness/wire",
        "harness/netlink",
        "harness/cluster",
        "harness/report",
        "checkers",
        "nemesis",
        "nodes",
        "workloads"},
       {}},
      {"harness/uml", {"harness/base", "harness/cluster", "harness/netlink"}, {}},
      {"harness/wire", {"harness/base"}, {}},
      {"nemesis",
       {"harness/base", "harness/clock_shim", "harness/cluster", "harness/disk", "harness/history"},
       {}},
      {"nodes", {"harness/base"}, {}},
      {"nodes/host", {"harness/base", "harness/wire"}, {}},
      {"nodes/kv",
       {"harness/base", "harness/wire", "nodes", "nodes/quorum", "nodes/raft", "nodes/replica"},
       {}},
      {"nodes/queue", {"harness/base", "harness/wire", "nodes", "nodes/raft", "nodes/replica"}, {}},
      {"nodes/quorum", {"harness/base", "harness/wire", "nodes/host", "nodes/storage"}, {}},
      {"nodes/raft", {"harness/base", "nodes"}, {}},
      {"nodes/replica",
       {"harness/base", "harness/wire", "nodes/host", "nodes/raft", "nodes/storage"},
       {}},
      {"nodes/saga", {"harness/base", "harness/wire", "nodes", "nodes/host", "nodes/storage"}, {}},
      {"nodes/storage", {"harness/base"}, {}},
      {"include/sunder", {"checkers", "harness/base", "harness/history"}, {}},
      {"tests", {"*"}, {}},
      {"workloads", {"harness/base", "harness/history", "harness/wire"}, {}},
  };
  return table;
}

const Folder* find_folder(std::string_view path) {
  const Folder* best = nullptr;
  for (const Folder& folder : folders()) {
    const std::string_view name = folder.path;
    const bool below =
        path.starts_with(name) && path.size() > name.size() && path[name.size()] == '/';
    if (below && (best == nullptr || name.size() > std::string_view(best->path).size()))
      best = &folder;
  }
  return best;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool may_use(const Folder& folder, std::string_view other) {
  return folder.path == other || contains(folder.may_use, "*") || contains(folder.may_use, other);
}

// Third-party headers that belong to few places, or that a pure folder must not see.
struct KeptHeader {
  const char* pattern;
  std::vector<std::string> only_in;  // path prefixes; empty: anywhere but `never_in`
  std::vector<std::string> never_in;
  const char* why;
};

const std::vector<KeptHeader>& kept_headers() {
  static const std::vector<KeptHeader> table = {
      {R"(^(netlink|nftables)/)",
       {"harness/netlink/", "tests/unit/netlink/"},
       {},
       "netlink is spoken in harness/netlink only"},
      {R"(^boost/asio/experimental/awaitable_operators\.hpp$)",
       {"harness/base/deadline.hpp"},
       {},
       "base::with_deadline is the one user of awaitable operators"},
      {R"(^boost/asio\.hpp$)", {"-"}, {}, "include the narrow headers: this one costs 12 s a file"},
      {R"(^(boost/asio|boost/beast|boost/process|sys/socket|fstream))",
       {},
       {"checkers/", "nodes/raft/"},
       "this folder is pure: no sockets, no files"},
  };
  return table;
}

bool starts_with_any(std::string_view path, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return path.starts_with(prefix);
  });
}

std::string check_quoted(const Source& source, const Folder& folder, const std::string& header) {
  if (header.starts_with("generated/")) return {};
  const Folder* other = find_folder(header);
  if (other == nullptr) return "write \"" + header + "\" from the repository's root";
  if (may_use(folder, other->path) || contains(folder.may_include, header)) return {};
  // A .proto's generated header lies beside its user.
  if (directory_of(header) == directory_of(source.path)) return {};
  return std::string(folder.path) + " must not include " + other->path + " (docs/architecture.md)";
}

std::string check_third_party(const Source& source, const std::string& header) {
  for (const KeptHeader& kept : kept_headers()) {
    if (!std::regex_search(header, std::regex(kept.pattern))) continue;
    const bool outside = !kept.only_in.empty() && !starts_with_any(source.path, kept.only_in);
    if (outside || starts_with_any(source.path, kept.never_in)) {
      return "<" + header + ">: " + kept.why;
    }
  }
  return {};
}

// Target names of folders: sunder::base is harness/base, sunder::raft is nodes/raft.
const std::map<std::string, std::string>& target_folders() {
  static const std::map<std::string, std::string> table = [] {
    std::map<std::string, std::string> made;
    for (const Folder& folder : folders()) {
      const std::string path = folder.path;
      made[path.substr(path.rfind('/') + 1)] = path;  // npos + 1 is 0: the whole name
    }
    return made;
  }();
  return table;
}

}  // namespace

std::string folder_of(std::string_view path) {
  const Folder* folder = find_folder(path);
  return folder == nullptr ? std::string() : folder->path;
}

Violations check_includes(const Source& source) {
  Violations found;
  const Folder* folder = find_folder(source.path);
  if (folder == nullptr) return {{source.path, 0, "C++ outside of the folders of the project"}};
  static const std::regex include(R"(^#\s*include\s*(["<])([^">]+)[">])");
  std::size_t number = 0;
  for (const std::string_view view : lines_of(source.text)) {
    ++number;
    const std::string line(view);
    std::smatch match;
    if (!std::regex_search(line, match, include)) continue;
    std::string message = match[1] == "\"" ? check_quoted(source, *folder, match[2])
                                           : check_third_party(source, match[2]);
    if (!message.empty()) found.push_back({source.path, number, std::move(message)});
  }
  return found;
}

Violations check_links(const Source& source) {
  Violations found;
  const Folder* folder = find_folder(source.path);
  if (folder == nullptr) return {};
  static const std::regex link(R"(sunder::([a-z_]+))");
  std::size_t number = 0;
  for (const std::string_view view : lines_of(source.text)) {
    ++number;
    const std::string line(view.substr(0, view.find('#')));
    for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
      const auto target = target_folders().find((*match)[1]);
      if (target == target_folders().end() || may_use(*folder, target->second)) continue;
      // A single header's functions still need its library.
      const bool single = std::any_of(
          folder->may_include.begin(), folder->may_include.end(), [&](const std::string& header) {
            return folder_of(header) == target->second;
          });
      if (single) continue;
      found.push_back({source.path,
                       number,
                       std::string(folder->path) + " must not link " + target->second +
                           " (docs/architecture.md)"});
    }
  }
  return found;
}

}  // namespace sunder::tidy
