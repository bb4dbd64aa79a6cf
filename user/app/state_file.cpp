// SPDX-License-Identifier: Apache-2.0
#include "app/state_file.hpp"

#include "app/network_namespace.hpp"
#include "model/escape.hpp"
#include "probe/descriptor.hpp"
#include "probe/namespaces.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <systemd/sd-id128.h>
#include <unistd.h>

namespace stalesock {

namespace {

/// Of 16,384 endpoints whose every list is full a file has 50 MB.
constexpr off_t largest_file = 1 << 30;

[[noreturn]] void fail(const std::string& what, int error = errno) {
	throw std::system_error(error, std::generic_category(), what);
}

std::string text_of(sd_id128_t id) {
	std::array<char, SD_ID128_STRING_MAX> text{};
	return sd_id128_to_string(id, text.data());
}

/// Not the machine's own id, which is to be kept from view (machine-id(5)).
std::string host_id() {
	constexpr sd_id128_t application =
		SD_ID128_MAKE(5f, 1c, 9e, 0a, 4b, 27, 4c, 61, 9d, 33, 8e, 70, b2, 46, f1, 58);
	sd_id128_t id{};
	return sd_id128_get_machine_app_specific(application, &id) >= 0 ? text_of(id) : "";
}

std::string boot_id() {
	sd_id128_t id{};
	return sd_id128_get_boot(&id) >= 0 ? text_of(id) : "";
}

std::string read_all(const Descriptor& file, std::size_t size, const std::string& path) {
	std::string text(size, '\0');
	std::size_t have = 0;
	while (have < size) {
		const ssize_t count = read(file.get(), text.data() + have, size - have);
		if (count < 0 && errno != EINTR) {
			fail("cannot read " + escape_untrusted(path));
		}
		if (count == 0) {
			break;
		}
		have += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
	}
	text.resize(have);
	return text;
}

void write_all(const Descriptor& file, std::string_view text, const std::string& what) {
	while (!text.empty()) {
		const ssize_t count = write(file.get(), text.data(), text.size());
		if (count < 0 && errno != EINTR) {
			fail(what);
		}
		text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
	}
}

/// The rename is not on the disk before its directory is.
void sync_directory_of(const std::string& path, const std::string& what) {
	const std::filesystem::path parent = std::filesystem::path(path).parent_path();
	const Descriptor directory(
		open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!directory.valid() || fsync(directory.get()) != 0) {
		fail(what);
	}
}

/// A file that is gone again unless it is kept.
class NewFile {
  public:
	NewFile(std::string path, const std::string& what)
		: path_(std::move(path)), file_(open(path_.c_str(), flags, mode)) {
		if (!file_.valid()) {
			fail(what);
		}
		if (flock(file_.get(), LOCK_EX | LOCK_NB) != 0) { // another one is at work on it
			const int error = errno;
			path_.clear();
			fail(what, error);
		}
		if (ftruncate(file_.get(), 0) != 0 || fchmod(file_.get(), mode) != 0) {
			const int error = errno;
			unlink(path_.c_str());
			fail(what, error);
		}
	}
	~NewFile() {
		if (!path_.empty()) {
			unlink(path_.c_str());
		}
	}
	NewFile(const NewFile&) = delete;
	NewFile& operator=(const NewFile&) = delete;

	[[nodiscard]] const Descriptor& descriptor() const { return file_; }
	void rename_to(const std::string& path, const std::string& what) {
		if (std::rename(path_.c_str(), path.c_str()) != 0) {
			fail(what);
		}
		path_.clear();
	}

  private:
	static constexpr int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	static constexpr mode_t mode = 0640;

	std::string path_;
	Descriptor file_;
};

/// The new name; empty when there was none to be had.
std::string set_aside(const std::string& path) {
	constexpr int most = 100;
	for (int i = 0; i < most; i++) {
		std::string name =
			path + (i == 0 ? std::string(".refused") : fmt::format(".refused.{}", i));
		if (renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
			return name;
		}
		if (errno != EEXIST) {
			break;
		}
	}
	return {};
}

} // namespace

Place place_here(const Moment& now) {
	Place place;
	place.host = host_id();
	place.boot = boot_id();
	place.netns = own_network_namespace();
	place.boot_time = now.boot;
	place.unix_seconds =
		std::chrono::floor<std::chrono::seconds>(now.wall.time_since_epoch()).count();
	return place;
}

SavedState read_state_file(const std::string& path) {
	const std::string name = escape_untrusted(path);
	const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	struct stat facts {};
	if (!file.valid() || fstat(file.get(), &facts) != 0) {
		fail("cannot read " + name);
	}
	if (!S_ISREG(facts.st_mode) || facts.st_size > largest_file) {
		throw StateRefused(fmt::format("{}: is not a file of at most 1 GiB", name));
	}
	try {
		return parse_state(read_all(file, static_cast<std::size_t>(facts.st_size), path));
	} catch (const StateRefused& refused) {
		throw StateRefused(fmt::format("{}: {}", name, refused.what()));
	}
}

void write_state_file(const std::string& path, const std::string& text) {
	const std::string what = "cannot save what was learned to " + escape_untrusted(path);
	NewFile file(path + ".new", what);
	write_all(file.descriptor(), text, what);
	if (fsync(file.descriptor().get()) != 0) {
		fail(what);
	}
	file.rename_to(path, what);
	sync_directory_of(path, what);
}

StateRecovery recover_state(const std::string& path, const Place& now, Peers& peers,
                            Listeners& listeners) {
	StateRecovery recovery;
	try {
		recovery.merged = merge_state(read_state_file(path), now, peers, listeners);
	} catch (const StateRefused& refused) {
		const std::string kept = set_aside(path);
		recovery.problem =
			kept.empty() ? refused.what()
						 : fmt::format("{}; kept as {}", refused.what(), escape_untrusted(kept));
	} catch (const std::system_error& error) {
		if (error.code() != std::errc::no_such_file_or_directory) {
			recovery.problem = error.what();
		}
	}
	return recovery;
}

std::string load_learned(const std::string& path, Engine& engine, const Moment& now) {
	return recover_state(path, place_here(now), engine.peers(), engine.listeners()).problem;
}

std::string learned_text(Engine& engine, const Moment& now) {
	engine.peers().age_all(now.boot);
	engine.listeners().age_all(now.boot);
	return state_text(engine.peers(), engine.listeners(), place_here(now));
}

} // namespace stalesock
