// Figure: a picture that a checker gives beside its verdict, as data that the report draws.
//
// Figures of one section stand together on the page under its title ("Delivery"), whichever
// promise gave them. Plain data; times are nanoseconds since the run's start. Everything is
// bounded by whoever draws it: at most kFigureItemsMax items of each list are drawn.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "harness/history/run_context.hpp"

namespace sunder::checkers {

constexpr std::size_t kFigureItemsMax = 400;

enum class Mark : std::uint8_t { neutral, good, bad, doubtful };

// "neutral", "good", "bad", "doubtful".
[[nodiscard]] std::string_view name_of(Mark mark) noexcept;

// How many of each: a histogram, or fates.
struct Bars {
  struct Bar {
    std::string label = {};  // "delivered twice"
    double value = 0;        // not negative
    Mark mark = Mark::neutral;
  };

  std::string unit = {};  // of the values: "messages"; "%": each is a share of its own
  std::vector<Bar> bars = {};
};

// Quantities against another, most often against time.
struct Lines {
  struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points = {};  // sorted by their first number
    Mark mark = Mark::neutral;
  };

  std::string across = {};  // what the first number is: "seconds since the start"
  std::string up = {};      // what the second is: "messages waiting"
  bool run_time = false;    // the first is seconds of the run: faults are drawn behind
  std::vector<Series> series = {};
};

// A state machine with how often each of its arcs was taken.
struct Flow {
  struct State {
    std::string name;  // "reserved"
    double count = 0;  // how many came to it
    Mark mark = Mark::neutral;
  };

  struct Arc {
    std::size_t from = 0;  // indices into `states`
    std::size_t to = 0;
    std::string label = {};  // may be empty
    double count = 0;
    Mark mark = Mark::neutral;
  };

  std::vector<State> states = {};  // the first is where it begins
  std::vector<Arc> arcs = {};
};

// What happened when, a lane for each who did; the run's faults are drawn across.
struct Gantt {
  struct Span {
    std::string lane = {};  // "inventory"; lanes are drawn in the order of their first span
    std::string label;
    history::Window window;  // an instant when both ends are equal; end kNever: to the edge
    Mark mark = Mark::neutral;
  };

  std::vector<Span> spans = {};
};

struct Table {
  std::vector<std::string> header = {};
  std::vector<std::vector<std::string>> rows = {};  // each as long as the header
  // So many columns in front name a row; the others say something of it.
  std::size_t names = 1;
};

struct Figure {
  std::string section;    // "Delivery"
  std::string title;      // "How often messages were delivered"
  std::string note = {};  // a sentence below it; may be empty
  std::variant<Bars, Flow, Gantt, Lines, Table> body;
};

}  // namespace sunder::checkers
