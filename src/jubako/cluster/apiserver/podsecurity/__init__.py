"""PodSecurity admission: what pods may ask for in a namespace whose labels say so.

    levels      the labels of a namespace -> its policy
    pod         a pod as the checks look at it, and what they say
    host, kernel, privileges, profiles, users, volumes
                the controls of the Pod Security Standards
    standards   which control counts at which level and in which version
    admission   what is refused, warned of and noted

Spec: "Pod Security Standards"; "Pod Security Admission".
"""
