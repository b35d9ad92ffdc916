#include "nodes/host/event_writer.hpp"

#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/clock.hpp"

namespace sunder::nodes::host {

EventWriter::EventWriter(std::string node, int descriptor)
    : node_(std::move(node)), descriptor_(descriptor) {
  const int flags = ::fcntl(descriptor_, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY ||
      ::fcntl(descriptor_, F_SETFL, flags | O_NONBLOCK) < 0) {
    descriptor_ = -1;
  }
}

void EventWriter::write(std::string_view event,
                        std::span<const Number> numbers,
                        std::span<const Text> texts) {
  if (!enabled()) return;
  std::string line = fmt::format(R"({{"v":1,"node":"{}","seq":{},"time":{},"event":"{}")",
                                 node_,
                                 sequence_++,
                                 base::monotonic_ns(),
                                 event);
  auto out = std::back_inserter(line);
  for (const auto& [name, value] : numbers) fmt::format_to(out, R"(,"{}":{})", name, value);
  for (const auto& [name, value] : texts) fmt::format_to(out, R"(,"{}":"{}")", name, value);
  if (dropped_ > 0) fmt::format_to(out, R"(,"dropped":{})", dropped_);
  line.append("}\n");
  ssize_t written = -1;
  if (line.size() <= PIPE_BUF) {
    do {
      written = ::write(descriptor_, line.data(), line.size());
    } while (written < 0 && errno == EINTR);
    // Nobody reads any more: the harness is gone.
    if (written < 0 && errno == EPIPE) descriptor_ = -1;
  }
  dropped_ = written < 0 ? dropped_ + 1 : 0;
}

}  // namespace sunder::nodes::host
