// The one translation unit that compiles Asio's non-template code
// (BOOST_ASIO_SEPARATE_COMPILATION).
//
// Without it every file that includes Asio compiles that code again (docs/decisions.md, "Compile
// time").

#include <boost/asio/impl/src.hpp>
