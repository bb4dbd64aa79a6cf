// SPDX-License-Identifier: Apache-2.0
#include "support/schema.hpp"

#include "support/descriptor.hpp"
#include "support/process.hpp"

#include <cstdlib>
#include <fstream>

namespace runtime {

namespace {

constexpr const char* validate = R"(
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
checker = jsonschema.Draft202012Validator(schema)
for number, line in enumerate(open(sys.argv[2], encoding="utf-8"), 1):
    for fault in checker.iter_errors(json.loads(line)):
        print(f"line {number}: {fault.json_path}: {fault.message}")
)";

std::string source_tree() {
	const char* path = std::getenv("STALESOCK_SOURCE");
	return path != nullptr ? path : ".";
}

/// A file that goes with its object.
class TemporaryFile {
  public:
	explicit TemporaryFile(const std::vector<std::string>& lines) {
		const Descriptor created(checked(mkstemp(path_.data()), "mkstemp"));
		std::ofstream file(path_);
		for (const std::string& line : lines) {
			file << line << '\n';
		}
	}
	~TemporaryFile() { unlink(path_.c_str()); }
	TemporaryFile(const TemporaryFile&) = delete;
	TemporaryFile& operator=(const TemporaryFile&) = delete;

	[[nodiscard]] const std::string& path() const { return path_; }

  private:
	std::string path_ = "/tmp/stalesock-lines-XXXXXX";
};

} // namespace

std::string schema_faults(const std::vector<std::string>& lines) {
	const TemporaryFile file(lines);
	const std::string schema = source_tree() + "/packaging/schema/verdict.schema.json";
	const Result result = run({"/usr/bin/python3", "-c", validate, schema, file.path()});
	if (result.code != 0) {
		return "the validator failed: " + result.errors;
	}
	return result.output;
}

} // namespace runtime
