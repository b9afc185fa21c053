# Manual pages and completions: each program makes its own from its tables of commands and of configuration keys.
string(TIMESTAMP day "%d" UTC) # of SOURCE_DATE_EPOCH, where that is set
string(REGEX REPLACE "^0" "" day ${day})
string(TIMESTAMP FR_PAGES_DATE "%B ${day}, %Y" UTC)
set(FR_PAGES ${PROJECT_BINARY_DIR}/pages)

foreach(program fedroam fedroam-agent fedroam-broker fedroam-ns)
    set(folder ${FR_PAGES}/${program})
    add_custom_command(OUTPUT ${folder}/done
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}/man ${folder}/bash ${folder}/zsh
        COMMAND ${program} --generate man ${folder}/man ${FR_PAGES_DATE}
        COMMAND ${program} --generate bash ${folder}/bash
        COMMAND ${program} --generate zsh ${folder}/zsh
        COMMAND ${CMAKE_COMMAND} -E touch ${folder}/done
        DEPENDS ${program} COMMENT "Manual pages and completions of ${program}" VERBATIM)
    add_custom_target(${program}-pages ALL DEPENDS ${folder}/done)
    foreach(section 1 5 8)
        install(DIRECTORY ${folder}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT fedroam
            FILES_MATCHING PATTERN "*.${section}")
    endforeach()
    install(DIRECTORY ${folder}/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT fedroam)
    # Debian's zsh looks for what packages bring in a folder of its own
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
        install(DIRECTORY ${folder}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT fedroam)
    else()
        install(DIRECTORY ${folder}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT fedroam)
    endif()
endforeach()
