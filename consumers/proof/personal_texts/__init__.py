"""Where a person is named in what agencies wrote. Way in: `command.find_person` (`yesser find-person`)."""
