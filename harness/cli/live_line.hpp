// LiveLine: one line on a terminal that says what a long command is doing; nothing elsewhere.
//
// It is written to standard error, not before the work has lasted for a moment, and wiped when the
// object goes.
//
// Threading: one owner; keep_saying() writes from a thread of its own.

#pragma once

#include <chrono>
#include <string>
#include <thread>

namespace sunder::cli {

class LiveLine {
 public:
  LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;
  ~LiveLine();

  // A few times a second at most.
  void say(const std::string& text);
  // Repeats the text with the seconds that it took so far, until the object goes. The owner says
  // nothing more.
  void keep_saying(std::string text);

 private:
  using Clock = std::chrono::steady_clock;

  void write(const std::string& text);

  bool terminal_ = false;
  bool written_ = false;
  Clock::time_point next_;
  std::jthread repeating_;
};

}  // namespace sunder::cli
