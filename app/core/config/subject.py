"""What the settings of each subject have in common."""

from pydantic import BaseModel, ConfigDict


class SubjectSettings(BaseModel):
    """The settings of one subject.

    Only `Settings` is used, which has those of all subjects. So pydantic never makes the checks of one
    subject alone, or each start would take longer.
    """

    model_config = ConfigDict(defer_build=True)
