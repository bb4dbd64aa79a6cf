// SPDX-License-Identifier: Apache-2.0
#include "app/runtime.hpp"

#include "probe/descriptor.hpp"

#include <algorithm>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace stalesock {

namespace {

template <typename Value>
bool read_at(const Descriptor& file, std::uint64_t offset, std::vector<Value>& to) {
	const auto bytes = static_cast<ssize_t>(to.size() * sizeof(Value));
	return offset <= INT64_MAX && pread(file.get(), to.data(), static_cast<std::size_t>(bytes),
	                                    static_cast<off_t>(offset)) == bytes;
}

/// Nothing for what is no 64-bit ELF file of this byte order.
std::vector<Elf64_Shdr> sections_of(const Descriptor& file, std::size_t& names) {
	constexpr std::size_t most = 4096;
	std::vector<Elf64_Ehdr> header(1);
	if (!read_at(file, 0, header) ||
	    !std::equal(ELFMAG, ELFMAG + SELFMAG, std::begin(header[0].e_ident)) ||
	    header[0].e_ident[EI_CLASS] != ELFCLASS64 || header[0].e_shentsize != sizeof(Elf64_Shdr) ||
	    header[0].e_shnum > most || header[0].e_shstrndx >= header[0].e_shnum) {
		return {};
	}
	std::vector<Elf64_Shdr> sections(header[0].e_shnum);
	names = header[0].e_shstrndx;
	return read_at(file, header[0].e_shoff, sections) ? sections : std::vector<Elf64_Shdr>{};
}

bool has_section(const Descriptor& file, std::string_view wanted) {
	constexpr std::uint64_t longest = 1 << 16;
	std::size_t index = 0;
	const std::vector<Elf64_Shdr> sections = sections_of(file, index);
	if (sections.empty() || sections[index].sh_size > longest) {
		return false;
	}
	std::vector<char> names(sections[index].sh_size);
	if (!read_at(file, sections[index].sh_offset, names)) {
		return false;
	}
	const std::string_view text(names.data(), names.size());
	return std::any_of(sections.begin(), sections.end(), [&](const Elf64_Shdr& section) {
		return section.sh_name < text.size() &&
		       text.substr(section.sh_name, text.find('\0', section.sh_name) - section.sh_name) ==
		           wanted;
	});
}

Runtime runtime_of(const Descriptor& file) {
	return has_section(file, ".go.buildinfo") ? Runtime::go : Runtime::unknown;
}

Descriptor open_program(const std::string& path) {
	return Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

} // namespace

Runtime runtime_of_file(const std::string& path) {
	const Descriptor file = open_program(path);
	return file.valid() ? runtime_of(file) : Runtime::unknown;
}

Runtime RuntimeLookup::operator()(std::int32_t pid) {
	constexpr std::size_t most = 256;
	const Descriptor file = open_program(fmt::format("/proc/{}/exe", pid));
	struct stat facts {};
	if (!file.valid() || fstat(file.get(), &facts) != 0) {
		return Runtime::unknown;
	}
	const Program program{facts.st_dev, facts.st_ino, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
	const auto found = known_.find(program);
	if (found != known_.end()) {
		return found->second;
	}
	if (known_.size() >= most) {
		known_.clear();
	}
	return known_.emplace(program, runtime_of(file)).first->second;
}

} // namespace stalesock
