// Copies the engine's sources with exact replacements, and fails loudly where a
// text to be replaced is not found exactly once: an engine that has changed
// must not leave its mutants behind silently.
//
//   plant <engine folder> <output folder> <replacements.txt>...
//
// A file of replacements: a comment block of '#' lines, then any number of
//   @@ name: what it breaks                 a mutant may have several replacements
//   @@ name [scenario]: what it breaks      the scenario made for it is searched first
//   file.cc
//   <<<<
//   text as it is
//   ====
//   text as it becomes
//   >>>>
// In a mutant's new text, PLANTED stands for "this mutant is switched on".
// Besides the sources it writes planted.inc, the list of mutants.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    std::cerr << "plant: cannot read " << path << "\n";
    std::exit(2);
  }
  return text.str();
}

// Only what differs is written, so that make compiles no more than it must.
void write(const fs::path& path, const std::string& text) {
  if (fs::exists(path) && read(path) == text) return;
  std::ofstream out(path);
  out << text;
}

bool replace_all(std::string* text, const std::string& what, const std::string& by) {
  bool found = false;
  for (size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += by.size()) {
    text->replace(at, what.size(), by);
    found = true;
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: plant <engine folder> <output folder> <replacements.txt>...\n";
    return 2;
  }
  fs::path to = argv[2];
  fs::create_directories(to);
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(argv[1])) {
    if (entry.is_regular_file()) files[entry.path().filename()] = read(entry.path());
  }
  std::string list;
  int failed = 0;
  for (int i = 3; i < argc; ++i) {
    std::istringstream lines(read(argv[i]));
    std::string line, name, what;
    while (std::getline(lines, line)) {
      if (line.starts_with("@@ ")) {
        size_t colon = line.find(": ");
        name = line.substr(3, colon - 3);
        what = line.substr(colon + 2);
        std::string home;
        if (size_t bracket = name.find(" ["); bracket != std::string::npos) {
          home = name.substr(bracket + 2, name.size() - bracket - 3);
          name.resize(bracket);
        }
        if (list.find("(\"" + name + "\"") == std::string::npos)
          list += "UINTR_MUTANT(\"" + name + "\", \"" + what + "\", \"" + home + "\")\n";
        continue;
      }
      if (line.empty() || line[0] == '#') continue;
      std::string file = line, before, after;
      std::getline(lines, line);  // <<<<
      while (std::getline(lines, line) && line != "====") before += line + "\n";
      while (std::getline(lines, line) && line != ">>>>") after += line + "\n";
      replace_all(&after, "PLANTED", "::simulator_planted(\"" + name + "\")");
      size_t at = files[file].find(before);
      if (before.empty() || at == std::string::npos || files[file].find(before, at + 1) != std::string::npos) {
        std::cerr << "plant: " << argv[i] << ": '" << name << "' is not found exactly once in " << file << ":\n"
                  << before;
        ++failed;
        continue;
      }
      files[file].replace(at, before.size(), after);
    }
  }
  if (failed != 0) return 1;
  for (auto& [file, text] : files) {
    std::string head =
        text.find("::simulator_planted(") != std::string::npos ? "bool simulator_planted(const char*);\n" : "";
    write(to / file, head + text);
  }
  write(to / "planted.inc", list);
  return 0;
}
