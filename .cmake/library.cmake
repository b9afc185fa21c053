# fr_library(<name> SOURCES a.c … [USES lib …] [VENDOR target …])
#
# One static library of the house: target fr_<name>, headers included as "<name>/x.h". The include path holds a link
# to this one folder only, so a file can include exactly the libraries its target names (and those they name).
# USES is public (headers see them), VENDOR is private.
function(fr_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;VENDOR" ${ARGN})
    add_library(fr_${name} STATIC ${ARG_SOURCES})
    set(root ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${root})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
    target_include_directories(fr_${name} PUBLIC ${root})
    list(TRANSFORM ARG_USES PREPEND fr_)
    target_link_libraries(fr_${name} PUBLIC fr_flags ${ARG_USES} PRIVATE ${ARG_VENDOR})
endfunction()

# fr_program(<name> SOURCES a.c … USES lib …): a program, installed to bin/ (or sbin/ with DAEMON).
function(fr_program name)
    cmake_parse_arguments(ARG "DAEMON" "" "SOURCES;USES;VENDOR" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    list(TRANSFORM ARG_USES PREPEND fr_)
    target_link_libraries(${name} PRIVATE fr_flags ${ARG_USES} ${ARG_VENDOR})
    if(ARG_DAEMON)
        install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT fedroam)
    else()
        install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT fedroam)
    endif()
endfunction()
