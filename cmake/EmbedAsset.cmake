# cmake -DINPUT=file -DNAME=kSymbol -DOUTPUT=file.cpp -P EmbedAsset.cmake
# Writes a C++ source that defines sunder::report::assets::<NAME> with the file's text.
#
# A raw string literal, cut into pieces: compilers need not take more than 64 KiB in one.
file(READ "${INPUT}" content)
string(LENGTH "${content}" length)
set(literal "")
set(position 0)
while(position LESS length)
  string(SUBSTRING "${content}" ${position} 16000 piece)
  string(APPEND literal "R\"sunder_asset(${piece})sunder_asset\"\n")
  math(EXPR position "${position} + 16000")
endwhile()
file(WRITE "${OUTPUT}" "// Generated from ${INPUT}.
#include \"harness/report/assets.hpp\"

namespace sunder::report::assets {
extern const std::string_view ${NAME};
const std::string_view ${NAME} =
${literal};
}  // namespace sunder::report::assets
")
