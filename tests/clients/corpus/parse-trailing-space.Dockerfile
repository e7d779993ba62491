FROM busybox   
RUN echo one \   
    two >/f  
ENV A=1	
WORKDIR /w 	
COPY a.txt   b.txt	 /many/  
